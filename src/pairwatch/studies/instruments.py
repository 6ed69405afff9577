"""What is known of well-known legs: the catalogue that comes with pairwatch, and what the user adds to it.

    [[instruments]]                       # in a file of its own (--catalogue), or in the configuration file
    symbol = "QQQ"                        # the leg as it is typed, [source:]symbol; all that follows is optional
    name = "Invesco QQQ"
    asset_class = "equity"                # or bond, commodity, currency, crypto, volatility, rate
    tilt = "growth"
    region = "US"
    fact = "holds large companies listed on Nasdaq"
    tracks = "Nasdaq-100"                 # where several legs are the same thing
    market = true                         # what others of its kind and region are held against
    hedges = ["bond"]                     # the asset classes that it is looked at as a hedge of

    [[groups]]                            # in a file of its own only
    name = "styles of US shares"
    pairs = [["QQQ", "IWM"], ["QQQ", "SPY"]]

Pairs are related by asset class, tilt and region: of a leg without a class `related` goes by what is cached. An
instrument that is there already is replaced, a group is added. `leg` and `kind` are read as `symbol` and `asset_class`.
`instruments.toml` is the one that is shipped; `instruments.json` says the same, for it takes a fraction of the time to
read (`tools/instruments.py` writes it).
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Self

from pairwatch.errors import UsageError
from pairwatch.model import DEFAULT_SOURCE, Leg
from pairwatch.text import clean, is_clean, listing

SHIPPED = Path(__file__).with_name("instruments.json")
KINDS = ("equity", "bond", "commodity", "currency", "crypto", "volatility", "rate")
LONGEST_TEXT, LONGEST_FACT = 60, 120

_TEXTS = ("name", "asset_class", "tilt", "region", "fact", "tracks")
_KEYS = ("symbol", *_TEXTS, "market", "hedges")
_OTHER_NAMES = {"leg": "symbol", "kind": "asset_class"}
_FORM = '{ symbol = "QQQ", asset_class = "equity", tilt = "growth", region = "US" }'
_LINE = f"one line that works: instruments = [{_FORM}]"
_PAIR = 'a pair is ["QQQ", "IWM"]'
_GROUPS_LINE = 'one line that works: groups = [{ name = "mine", pairs = [["QQQ", "IWM"]] }]'


class Instrument(NamedTuple):
    """What is known of a leg; see above: its `kind` is the asset class. Texts are empty where nothing is said."""

    leg: Leg
    kind: str = ""
    tilt: str = ""
    region: str = ""
    name: str = ""
    fact: str = ""
    tracks: str = ""
    market: bool = False
    hedges: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """The same for legs that are the same thing."""
        return self.tracks or str(self.leg)

    def is_like(self, other: "Instrument") -> bool:
        """Whether both are of one kind and one tilt, as far as these are known."""
        return bool(self.kind and self.tilt) and (self.kind, self.tilt) == (other.kind, other.tilt)


class Group(NamedTuple):
    """Pairs that are looked at side by side."""

    name: str
    pairs: tuple[tuple[Leg, Leg], ...]


class Catalogue(NamedTuple):
    """Instruments by their legs, in the order in which they are written, and groups of pairs."""

    instruments: dict[Leg, Instrument]
    groups: tuple[Group, ...] = ()

    def get(self, leg: Leg) -> Instrument | None:
        """What is known of a leg, if anything."""
        return self.instruments.get(leg)

    def kind(self, leg: Leg) -> str:
        """The asset class of a leg; empty where it is not known."""
        known = self.instruments.get(leg)
        return known.kind if known else ""

    def identity(self, leg: Leg) -> str:
        """The same for legs that are the same thing."""
        known = self.instruments.get(leg)
        return known.identity if known else str(leg)

    def with_more(self, other: "Catalogue") -> "Catalogue":
        """This one and another, which has the last word."""
        return Catalogue({**self.instruments, **other.instruments}, (*self.groups, *other.groups))


@cache
def shipped() -> Catalogue:
    """The catalogue that comes with pairwatch."""
    return parsed(json.loads(SHIPPED.read_text("utf-8")), "the catalogue")


def catalogue(
    config: Mapping[str, Any], config_name: str, file: Path | None = None, source: str = DEFAULT_SOURCE
) -> Catalogue:
    """The catalogue that is shipped, with what the configuration file and a file of its own add to it.

    Args:
        config: the parsed configuration file; only its section `instruments` is looked at.
        file: a file in the form above.
        source: where legs without a prefix come from.

    Raises:
        UsageError: what is no catalogue.
    """
    found = shipped()
    if "instruments" in config:
        own = {"instruments": config["instruments"]}
        found = found.with_more(parsed(own, clean(config_name, 200), source))
    return found.with_more(read(file, source)) if file else found


def read(file: Path, source: str = DEFAULT_SOURCE) -> Catalogue:
    """The catalogue in a file.

    Raises:
        UsageError: the file cannot be read, is not TOML, or is no catalogue.
    """
    import tomllib  # noqa: PLC0415 - few have a file of their own

    where = clean(file, 200)
    hint = "name a TOML file of [[instruments]]: --catalogue FILE.toml"
    try:
        given = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        # tomllib's errors, and a name with a NUL in it, are ValueErrors.
        why = clean(getattr(error, "strerror", None) or error)
        raise UsageError(f"{where} cannot be read as a catalogue ({why})", hint) from None
    for key in given:
        if key not in ("instruments", "groups"):
            raise UsageError(f"{where} knows no section {clean(key)!r}", "it has [[instruments]] and [[groups]]")
    return parsed(given, where, source)


def parsed(given: Mapping[str, Any], where: str, source: str = DEFAULT_SOURCE) -> Catalogue:
    """The catalogue in what was read from TOML.

    Args:
        where: how errors begin.

    Raises:
        UsageError: what is no instrument or no group; an instrument or a group that is there twice.
    """
    instruments: dict[Leg, Instrument] = {}
    for entry in _entries(given, "instruments", where, _FORM):
        one = _instrument(entry, source)
        if one.leg in instruments:
            entry.refuse("symbol", "it is there already: leave one of them out")
        instruments[one.leg] = one
    groups = [
        _group(entry, source) for entry in _entries(given, "groups", where, f'{{ name = "...", pairs = [{_PAIR}] }}')
    ]
    return Catalogue(instruments, tuple(groups))


class _Entry(NamedTuple):
    """A table of the file, and how its errors begin."""

    where: str
    given: Mapping[str, Any]

    def refuse(self, key: str, needs: str) -> NoReturn:
        raise UsageError(f"{self.where}.{key} cannot be {clean(self.given.get(key, ''))!r}", needs)

    def renamed(self, names: Mapping[str, str]) -> Self:
        """The same with keys by the names that they are looked for under; of two, the one of that name stays."""
        if not names.keys() & self.given.keys():
            return self
        others = {
            names[key]: value for key, value in self.given.items() if key in names and names[key] not in self.given
        }
        return self._replace(given={**others, **{k: v for k, v in self.given.items() if names.get(k) not in others}})

    def check(self, keys: Iterable[str], needed: Iterable[str], form: str) -> None:
        """Raise for a key that nobody knows, and for one that is missing."""
        known = tuple(keys)
        for key in self.given:
            if key not in known:
                raise UsageError(
                    f"{self.where} knows no key {clean(key)!r}", f"the keys are {listing(known, len(known))}; {form}"
                )
        for key in needed:
            if key not in self.given:
                raise UsageError(f"{self.where} has no key {key!r}", f"every one needs it; {form}")

    def text(self, key: str, longest: int = LONGEST_TEXT, *, needed: bool = False) -> str:
        """A text in one line, empty where it is not there."""
        value = self.given.get(key, "")
        if not isinstance(value, str) or not is_clean(value) or len(value) > longest or (needed and not value.strip()):
            self.refuse(key, f"a text in quotes, of up to {longest} characters in one line")
        return clean(value, longest)

    def leg(self, value: object, source: str) -> Leg:
        """A leg as it is typed."""
        if not isinstance(value, str):
            raise UsageError(f"{self.where}: {clean(value)!r} is no leg", "a leg is a text in quotes: [source:]symbol")
        try:
            return Leg.parse(value.strip(), source)
        except UsageError as error:
            raise UsageError(f"{self.where}: {error.message}", error.hint) from None


def _entries(given: Mapping[str, Any], section: str, where: str, form: str) -> list[_Entry]:
    found = given.get(section, [])
    if not isinstance(found, list):
        raise UsageError(f"{where}: {section} is no list", f"write each of them as [[{section}]]")
    for number, one in enumerate(found, 1):
        if not isinstance(one, Mapping):
            raise UsageError(f"{where}: {section}[{number}] is no table", f"write it as {form}")
    return [_Entry(f"{where}: {section}[{number}]", one) for number, one in enumerate(found, 1)]


def _instrument(entry: _Entry, source: str) -> Instrument:
    entry = entry.renamed(_OTHER_NAMES)
    entry.check(_KEYS, ("symbol",), _LINE)
    texts = {key: entry.text(key, LONGEST_FACT if key == "fact" else LONGEST_TEXT) for key in _TEXTS}
    kind = texts.pop("asset_class")
    if kind not in ("", *KINDS):
        entry.refuse("asset_class", f"it is {', '.join(KINDS)}, or is left out")
    market, hedges = entry.given.get("market", False), entry.given.get("hedges", [])
    if not isinstance(market, bool):
        entry.refuse("market", "true or false, without quotes")
    if not isinstance(hedges, list) or not all(kind in KINDS for kind in hedges):
        entry.refuse("hedges", f"a list of asset classes: {', '.join(KINDS)}")
    leg = entry.leg(entry.given["symbol"], source)
    return Instrument(leg, kind, **texts, market=market, hedges=tuple(hedges))


def _group(entry: _Entry, source: str) -> Group:
    entry.check(("name", "pairs"), ("name", "pairs"), _GROUPS_LINE)
    pairs = entry.given["pairs"]
    if not isinstance(pairs, list) or not pairs:
        entry.refuse("pairs", f"a list of pairs; {_PAIR}")
    return Group(entry.text("name", needed=True), tuple(_pair(entry, one, source) for one in pairs))


def _pair(entry: _Entry, given: object, source: str) -> tuple[Leg, Leg]:
    if not isinstance(given, list) or len(given) != 2:
        raise UsageError(f"{entry.where}.pairs: {clean(given)!r} is no pair", _PAIR)
    a, b = (entry.leg(one, source) for one in given)
    if a == b:
        raise UsageError(f"{entry.where}.pairs: both legs are {a}", "name two different legs")
    return a, b
