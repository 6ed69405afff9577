"""What is known of FRED's series by their ids: FRED's keyless CSV tells neither unit nor frequency.

Units and frequencies are those of each series' own page, fred.stlouisfed.org/series/ID. When a daily value is made:

- Treasury yields, real yields and bills, and the spreads between them: indicative bid quotations that the Federal
  Reserve Bank of New York takes at about 15:30 (Treasury, "Treasury Yield Curve Methodology" and the notes below its
  daily rates);
- DEX...: noon buying rates in New York (Federal Reserve Board, release H.10);
- share indices: the close of the New York exchanges, 16:00; VIXCLS: 16:15 (Cboe's regular hours end 15:15 in Chicago).

Of everything else the moment is not published, or is none: a day's average, a fixing elsewhere.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from pairwatch.model import Measure
from pairwatch.sources.fred_periods import Cadence

NEW_YORK: Final = "America/New_York"
_NOON, _QUOTES, _CLOSE, _VIX = 12 * 60, 15 * 60 + 30, 16 * 60, 16 * 60 + 15


class Known(NamedTuple):
    """What an id tells.

    Attributes:
        unit: what a value is counted in; empty where that is the currency.
        currency: of a price in dollars.
        closes_at: minutes after midnight in New York at which a daily value is made, or None.
        name: what the series is called; empty where the id says as much.
    """

    measure: Measure
    unit: str = ""
    cadence: Cadence = ""
    currency: str = ""
    closes_at: int | None = None
    name: str = ""


def known_id(symbol: str) -> Known | None:
    """What is known of the series with this id, if anything."""
    if not symbol.isascii() or not symbol.isalnum() or symbol != symbol.upper():
        return None
    return _table().get(symbol) or _exchange_rate(symbol) or _by_pattern(symbol)


def is_no_ticker(symbol: str) -> bool:
    """Whether an id cannot be mistaken for a share's: AAA, PRIME and GDP can."""
    return len(symbol) > 5 or any(mark.isdigit() for mark in symbol)


# ---------------------------------------------------------------- ids one by one


def _rate(cadence: Cadence, closes_at: int | None = None, name: str = "") -> Known:
    return Known("rate", "percent", cadence, closes_at=closes_at, name=name)


def _price(unit: str, cadence: Cadence) -> Known:
    return Known("price", unit, cadence, "USD")


def _index(cadence: Cadence, closes_at: int | None = None) -> Known:
    return Known("index", "points", cadence, closes_at=closes_at)


def _level(unit: str, cadence: Cadence) -> Known:
    return Known("level", unit, cadence)


_LISTS: Final[tuple[tuple[Known, str], ...]] = (
    # Policy, money-market and lending rates.
    (_rate("day"), "DFF EFFR OBFR SOFR SOFR1 SOFR25 SOFR75 SOFR99 IORB IOER IORR DFEDTAR DFEDTARU DFEDTARL DPCREDIT"),
    (_rate("day"), "DPRIME RRPONTSYAWARD TEDRATE ECBDFR ECBMRRFR ECBMLFR IUDSOIA DAAA DBAA AAA10Y BAA10Y"),
    (_rate("day"), "AAAFF BAAFF CPFF DCPF1M DCPF2M DCPF3M DCPN30 DCPN3M DSWP1 DSWP2 DSWP3 DSWP5 DSWP7 DSWP10 DSWP30"),
    (_rate("week"), "FF WAAA WBAA"),
    (_rate("month"), "FEDFUNDS MPRIME AAA BAA AAA10YM BAA10YM TB4WK TB3MS TB6MS TB1YR CPF3M TERMCBCCALLNS"),
    # Rates of another kind, in percent too.
    (_rate("month"), "UNRATE UNRATENSA U1RATE U2RATE U3RATE U4RATE U5RATE U6RATE CIVPART EMRATIO TCU PSAVERT MICH"),
    (_rate("month"), "SAHMREALTIME SAHMCURRENT JTSJOR JTSQUR JTSHIR LNS14000006 LNS11300060 LNS12300060"),
    (_rate("quarter"), "A191RL1Q225SBEA DRCCLACBS DRSFRMACBS DRALACBS RHORUSQ156N"),
    # Indices of what can be owned or followed: shares, cash that earns interest, a basket of currencies.
    (_index("day", _CLOSE), "SP500 DJIA DJTA DJUA NASDAQCOM NASDAQ100"),
    (_index("day"), "NIKKEI225 SOFRINDEX DTWEXBGS DTWEXAFEGS DTWEXEMEGS DTWEXB DTWEXM DTWEXO"),
    (_index("month"), "TWEXBGSMTH"),
    # Indices of what nobody can hold: expected volatility, uncertainty, conditions, the prices of goods, output.
    (Known("level", "points", "day", closes_at=_VIX, name="CBOE Volatility Index: VIX"), "VIXCLS"),
    (_level("points", "day"), "VXNCLS RVXCLS VXDCLS VXVCLS GVZCLS OVXCLS VXEEMCLS USEPUINDXD WLEMUINDXD"),
    (_level("points", "week"), "NFCI ANFCI STLFSI4 WEI"),
    (_level("points", "month"), "PCEPI PCEPILFE PPIACO PPIFIS INDPRO IPMAN UMCSENT CSUSHPISA CSUSHPINSA CFNAI"),
    (_level("points", "month"), "SPCS10RSA SPCS20RSA RBUSBIS"),
    (_level("points", "quarter"), "GDPDEF GDPCTPI USSTHPI"),
    # Prices in dollars.
    (_price("dollars per barrel", "day"), "DCOILWTICO DCOILBRENTEU"),
    (_price("dollars per barrel", "week"), "WCOILWTICO WCOILBRENTEU"),
    (_price("dollars per barrel", "month"), "MCOILWTICO MCOILBRENTEU WTISPLC POILWTIUSDM POILBREUSDM POILAPSPUSDM"),
    (_price("dollars per gallon", "day"), "DGASNYH DGASUSGULF DRGASLA DHOILNYH DDFUELNYH DDFUELUSGULF DDFUELLA"),
    (_price("dollars per gallon", "day"), "DJFUELUSGULF DPROPANEMBTX"),
    (_price("dollars per gallon", "week"), "GASREGW GASMIDW GASPRMW GASALLW GASDESW GASREGCOVW GASALLCOVW"),
    (_price("dollars per gallon", "month"), "GASREGM GASALLM GASDESM"),
    (_price("dollars per million btu", "day"), "DHHNGSP"),
    (_price("dollars per million btu", "week"), "WHHNGSP"),
    (_price("dollars per million btu", "month"), "MHHNGSP"),
    (_price("dollars per troy ounce", "day"), "GOLDAMGBD228NLBM GOLDPMGBD228NLBM"),
    (_price("dollars per metric ton", "month"), "PCOPPUSDM PALUMUSDM PNICKUSDM PZINCUSDM PLEADUSDM PTINUSDM"),
    (_price("dollars per metric ton", "month"), "PIORECRUSDM PWHEAMTUSDM PMAIZMTUSDM PSOYBUSDM"),
    (_price("", "day"), "CBBTCUSD CBETHUSD CBLTCUSD CBBCHUSD"),
    # Amounts and counts.
    (_level("billions of dollars", "quarter"), "GDP GNP GPDI GCE NETEXP CP"),
    (_level("billions of chained 2017 dollars", "quarter"), "GDPC1 GDPPOT"),
    (_level("millions of dollars", "quarter"), "GFDEBTN"),
    (_level("billions of dollars", "month"), "M1SL M2SL M1NS M2NS PCE PI DSPI BUSLOANS"),
    (_level("billions of chained 2017 dollars", "month"), "PCEC96 DSPIC96"),
    (_level("millions of dollars", "month"), "RSAFS RSXFS DGORDER NEWORDER BOPGSTB"),
    (_level("thousands of persons", "month"), "PAYEMS USPRIV MANEMP CE16OV CLF16OV UNEMPLOY"),
    (_level("thousands of units", "month"), "HOUST HOUST1F PERMIT PERMIT1 HSN1F"),
    (_level("millions of units", "month"), "TOTALSA ALTSALES"),
    (_level("level in thousands", "month"), "JTSJOL JTSHIL JTSQUL"),
    (_level("billions of dollars", "day"), "RRPONTSYD RPONTSYD"),
    (_level("billions of dollars", "week"), "WM1NS WM2NS"),
    (_level("millions of dollars", "week"), "WALCL TREAST WSHOMCB"),
    (_level("number", "week"), "ICSA CCSA ICNSA CCNSA IC4WSA"),
)


@cache
def _table() -> dict[str, Known]:
    return dict(_rows())


def _rows() -> Iterator[tuple[str, Known]]:
    for known, ids in _LISTS:
        for symbol in ids.split():
            yield symbol, known


# ---------------------------------------------------------------- families of ids

# Patterns are compiled when they are first looked at; names take what the pattern's groups hold.
_PATTERNS: Final[tuple[tuple[str, Known], ...]] = (
    (r"DGS([0-9]+)", _rate("day", _QUOTES, "US Treasury yield, {0} years")),
    (r"DGS([0-9]+)MO", _rate("day", _QUOTES, "US Treasury yield, {0} months")),
    (r"DFII([0-9]+)", _rate("day", _QUOTES, "US Treasury real yield, {0} years")),
    (r"DTB[0-9]+(?:WK|MO|YR)?", _rate("day", _QUOTES)),
    (r"T[0-9]+Y(?:[0-9]+[YM]|IE|IFR)", _rate("day", _QUOTES)),
    (r"T[0-9]+[YM]FF", _rate("day")),
    (r"T[0-9]+[YM](?:[0-9]+[YM]|IE|IFR|FF)M", _rate("month")),
    (r"GS([0-9]+)", _rate("month", name="US Treasury yield, {0} years")),
    (r"GS([0-9]+)M", _rate("month", name="US Treasury yield, {0} months")),
    (r"FII([0-9]+)", _rate("month", name="US Treasury real yield, {0} years")),
    (r"W(?:GS[0-9]+(?:YR|MO)|TB[0-9]+(?:MS|YR|WK)|FII[0-9]+)", _rate("week")),
    (r"MORTGAGE([0-9]+)US", _rate("week", name="US mortgage rate, {0} years")),
    (r"OBMMI[A-Z0-9]+|SOFR[0-9]+DAYAVG|USD[A-Z0-9]+TD156N", _rate("day")),
    (r"BAML[A-Z0-9]+TRIV|NASDAQNQ[A-Z0-9]+", _index("day")),
    (r"BAML[A-Z0-9]+", _rate("day")),
    (r"(?:IRLTLT01|IR3TIB01|IRSTCI01|INTDSR)[A-Z0-9]{2}M(?:156|193)N", _rate("month")),
    (r"CPI[A-Z]{3,}(?:SL|NS)|CU[SU]R0000[A-Z0-9]+|WP[SU][A-Z0-9]+", _level("points", "month")),
    (r"W(?:GAS|HOIL|DFUEL|JFUEL|PROPANE)[A-Z]+", _price("dollars per gallon", "week")),
    (r"M(?:GAS|HOIL|DFUEL|JFUEL|PROPANE)[A-Z]+", _price("dollars per gallon", "month")),
)


def _by_pattern(symbol: str) -> Known | None:
    for pattern, known in _PATTERNS:
        if found := re.fullmatch(pattern, symbol):
            return known._replace(name=known.name.format(*found.groups()))
    return None


# The Board's exchange rates: DEXJPUS, by month EXJPUS, by year AEXJPUS. Four are in dollars, the others to the dollar.
_CADENCES: Final[dict[str, Cadence]] = {"D": "day", "": "month", "A": "year"}
_IN_DOLLARS: Final = {"EU": "euro", "UK": "pound", "AL": "australian dollar", "NZ": "new zealand dollar"}
_TO_THE_DOLLAR: Final = {
    "BZ": "reais", "CA": "canadian dollars", "CH": "yuan", "DN": "danish kroner", "HK": "hong kong dollars",
    "IN": "rupees", "JP": "yen", "KO": "won", "MA": "ringgit", "MX": "pesos", "NO": "norwegian kroner",
    "SD": "swedish kronor", "SF": "rand", "SI": "singapore dollars", "SL": "sri lankan rupees", "SZ": "francs",
    "TA": "new taiwan dollars", "TH": "baht",
}  # fmt: skip


def _exchange_rate(symbol: str) -> Known | None:
    found = re.fullmatch(r"([DA]?)EX(..)(..)", symbol)
    if found is None:
        return None
    cadence, first, second = _CADENCES[found[1]], found[2], found[3]
    closes_at = _NOON if cadence == "day" else None
    if first == "US" and second in _IN_DOLLARS:
        return Known("price", f"dollars per {_IN_DOLLARS[second]}", cadence, "USD", closes_at)
    if second == "US" and first in _TO_THE_DOLLAR:
        return Known("price", f"{_TO_THE_DOLLAR[first]} per dollar", cadence, closes_at=closes_at)
    return None
