import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch.errors import UsageError
from pairwatch.model import Leg
from pairwatch.text import LONGEST, age, between, clean, is_clean, listing, plural

UNSAFE = {
    "the escape that begins a colour": "\x1b[31m",
    "the escape that begins a link": "\x1b]8;;x\x1b\\",
    "a C1 control sequence introducer": "\x9b2J",
    "a C1 string terminator": "\x9c",
    "NUL": "\x00",
    "a bell": "\x07",
    "a backspace": "\x08",
    "DEL": "\x7f",
    "a right-to-left override": "\u202e",
    "an isolate": "\u2066",
    "an Arabic letter mark": "\u061c",
    "a zero-width space": "\u200b",
    "a zero-width joiner": "\u200d",
    "a word joiner": "\u2060",
    "a soft hyphen": "\u00ad",
    "a byte-order mark": "\ufeff",
    "an annotation anchor": "\ufff9",
    "a tag character": "\U000e0041",
    "a lone surrogate": "\udc80",
}

REFUSED = {
    "nothing": "",
    "a blank": " ",
    "a path upwards": "../../v1/test/getcrumb",
    "a slash": "QQQ/x",
    "a backslash": "QQQ\\x",
    "two dots": "A..B",
    "dots alone": "..",
    "one dot": ".",
    "a query": "QQQ?range=max",
    "a fragment": "QQQ#x",
    "a percent escape": "QQQ%2e%2e",
    "a space inside": "QQQ IWM",
    "a space before": " QQQ",
    "a single quote": "QQQ'--",
    "a double quote": 'QQQ"',
    "an SQL statement": "QQQ;DROP TABLE legs",
    "NUL": "QQQ\x00",
    "a line feed": "QQQ\n",
    "a carriage return": "QQQ\r\nHost: x",
    "an escape": "QQQ\x1b[31m",
    "a full-width look-alike": "\uff31\uff31\uff31",
    "a Cyrillic look-alike": "\u0410APL",
    "a long s, whose capital is an S": "\u017fPY",
    "a dotless i, whose capital is an I": "\u0131WM",
    "the Kelvin sign, a K in disguise": "\u212aO",
    "a ligature, whose capital is two letters": "\ufb01x",
    "a digit that is not ours": "\u0661\u0662",
    "a zero-width space": "QQQ\u200b",
    "a leading dash": "-rf",
    "two leading dashes": "--offline",
    "a leading equals sign": "=cmd",
    "a leading plus sign": "+1",
    "a leading at sign": "@SUM",
    "two carets": "^^VIX",
    "markup": "[bold]QQQ",
    "a shell substitution": "$(id)",
    "backticks": "`id`",
    "a pipe": "QQQ|IWM",
    "101 letters": "A" * 101,
    "a source alone": "demo:",
    "two sources": "demo:yahoo:QQQ",
    "a source with a dot": "a.b:QQQ",
}

ACCEPTED = [
    "QQQ",
    "^VIX",
    "^GSPC",
    "^N225",
    "BRK-B",
    "BRK.B",
    "RDS-A",
    "EURUSD=X",
    "JPY=X",
    "M&M.NS",
    "DX-Y.NYB",
    "GC=F",
    "ES=F",
    "CL=F",
    "0700.HK",
    "7203.T",
    "BTC-USD",
    "SPY261218C00700000",
    "VOW3.DE",
    "005930.KS",
    "^STOXX50E",
    "BF-B",
    "CON",
    "NUL",
    "A",
]


@pytest.mark.parametrize("text", UNSAFE.values(), ids=UNSAFE)
def test_clean_makes_it_visible(text):
    assert not is_clean(f"a{text}b")
    assert is_clean(clean(f"a{text}b"))
    assert "\ufffd" in clean(f"a{text}b")


@given(st.text(max_size=200))
def test_clean_text_is_one_printable_line_of_bounded_length(text):
    found = clean(text)
    assert is_clean(found)
    assert len(found) <= LONGEST
    assert found == found.strip()
    assert clean(found) == found
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in found)
    found.encode()


@pytest.mark.parametrize("text", ["Société Générale", "日経平均株価", "M&M Financial [INE]", "a–b …", "½ µ €"])
def test_ordinary_text_is_left_alone(text):
    assert clean(text) == text


def test_runs_of_blanks_become_one():
    assert clean("  S&P   500  ") == "S&P 500"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"], ids=ascii)
def test_a_line_end_becomes_a_blank(end):
    assert clean(f"one{end}two") == "one two"
    assert not is_clean(end)


def test_what_is_cut_ends_in_an_ellipsis():
    assert clean("x" * 81) == "x" * 79 + "…"
    assert clean("x" * 80) == "x" * 80
    assert clean("x" * 30, 10) == "x" * 9 + "…"


def test_anything_can_be_cleaned():
    assert clean(None) == "None"
    assert clean(b"\x1b") == "b'\\x1b'"


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_no_such_symbol_goes_anywhere(text):
    with pytest.raises(UsageError) as caught:
        Leg.parse(text)
    assert is_clean(caught.value.message)
    assert caught.value.hint


@pytest.mark.parametrize("text", [x for x in REFUSED.values() if ":" not in x], ids=ascii)
@pytest.mark.parametrize("source", ["yahoo", "demo", "coingecko"])
def test_no_source_takes_such_a_symbol(text, source):
    with pytest.raises(UsageError):
        Leg.parse(f"{source}:{text}")
    with pytest.raises(UsageError):
        Leg(source, text)


@pytest.mark.parametrize("text", ACCEPTED)
def test_symbols_that_exist_are_taken(text):
    assert str(Leg.parse(text)) == text
    assert Leg.parse(f"yahoo:{text}") == Leg.parse(text)
    assert Leg.parse(text.lower()) == Leg.parse(text)


@pytest.mark.parametrize(
    "path", ["prices.csv", "a b/c.csv#QQQ", "=cmd.csv", "é.csv", "/home/me/x,y.csv", "../up.csv", "x:y.csv"]
)
def test_a_file_may_have_any_name(path):
    leg = Leg.parse(f"csv:{path}")
    assert leg.symbol == path
    assert str(leg) == f"csv:{path}"


@pytest.mark.parametrize(
    "path", ["", "a\nb.csv", "a\x1b[31m.csv", "a\x00.csv", "\u202egpj.csv", "x" * 4097, "lone\udc80.csv"]
)
def test_a_file_name_that_would_deceive_is_refused(path):
    with pytest.raises(UsageError):
        Leg.parse(f"csv:{path}")


@given(st.text(max_size=40))
def test_any_text_is_a_leg_or_a_usage_error(text):
    try:
        shown = str(Leg.parse(text))
    except UsageError as error:
        shown = error.message
    else:
        assert shown[0] not in "=+-@"
        assert str(Leg.parse(shown)) == shown
    assert is_clean(shown)


def test_a_dash_is_standard_input():
    assert Leg.parse("-") == Leg("csv", "-")


def test_a_listing_counts_what_it_leaves_out():
    assert listing(["a", "b", "c"]) == "a, b, c"
    assert listing(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert listing([]) == ""


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(1, "bar", "1 bar"), (0, "bar", "0 bars"), (2, "entry", "2 entries"), (1234, "close", "1,234 closes")],
)
def test_a_plural_counts(count, noun, text):
    assert plural(count, noun) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86_400, "24 h"),
        (172_800, "2 days"),
        (1e7, "115 days"),
    ],
)
def test_an_age_is_in_its_largest_fitting_unit(seconds, text):
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("low", "high", "edge", "text"),
    [
        (-0.07, 0.41, 0, "-0.07 to 0.41"),
        (-0.001, 0.58, 0, "-0.001 to 0.58"),
        (0.0004, 0.58, 0, "0.0004 to 0.58"),
        (-0.58, -0.0049, 0, "-0.58 to -0.005"),
        (0.0, 0.58, 0, "0.00 to 0.58"),
        (0.996, 1.3, 1, "0.996 to 1.30"),
        (-1e-12, 0.5, 0, "0.000000 to 0.50"),
    ],
)
def test_the_ends_of_an_interval_show_on_which_side_of_the_edge_they_lie(low, high, edge, text):
    assert between(low, high, edge=edge) == text
