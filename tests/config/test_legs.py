import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch import config
from pairwatch.errors import UsageError
from pairwatch.model import Declared, Leg
from pairwatch.text import is_clean

FILE = "/etc/pairwatch/config.toml"
QQQ = Leg("yahoo", "QQQ")


def of(read, text, source="yahoo"):
    return read(tomllib.loads(text), FILE, source)


def refused(read, text):
    """The two lines of what is said of a file: it is named, and something is to be typed."""
    with pytest.raises(UsageError) as caught:
        of(read, text)
    error = caught.value
    assert error.message.startswith(f"{FILE}: ")
    assert error.hint
    assert is_clean(error.message + error.hint)
    return error.message.removeprefix(f"{FILE}: "), error.hint


# ---------------------------------------------------------------- what a good file says


def test_units_are_declared_by_leg():
    text = '[units]\n"fred:unrate" = "rate"\n"cboe:VIX" = "points"\nGLD = "level:ounces"\n'
    assert of(config.units, text) == {
        Leg("fred", "UNRATE"): Declared("rate", "", by_differences=True),
        Leg("cboe", "VIX"): Declared("", "", by_differences=True),
        Leg("yahoo", "GLD"): Declared("level", "ounces"),
    }


def test_a_chain_keeps_its_order_and_may_leave_the_leg_itself_out():
    text = '[fallback]\nQQQ = ["IWM", "demo:TWIN1", "yahoo:QQQ"]\nSPY = ["fred:SP500"]'
    assert of(config.fallback, text) == {
        QQQ: (Leg("yahoo", "IWM"), Leg("demo", "TWIN1"), QQQ),
        Leg("yahoo", "SPY"): (Leg("fred", "SP500"),),
    }


def test_the_name_of_a_source_stands_for_the_same_symbol_there():
    assert of(config.fallback, '[fallback]\nVIX = ["cboe", "yahoo"]') == {
        Leg("yahoo", "VIX"): (Leg("cboe", "VIX"), Leg("yahoo", "VIX"))
    }


def test_a_symbol_in_capitals_is_no_source():
    assert of(config.fallback, '[fallback]\nQQQ = ["DEMO"]') == {QQQ: (Leg("yahoo", "DEMO"),)}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("archive/QQQ.csv", "/etc/pairwatch/archive/QQQ.csv"),
        ("a b.csv#QQQ#1", "/etc/pairwatch/a b.csv#QQQ#1"),
        ("../x.csv", "/etc/x.csv"),
        ("/var/x.csv", "/var/x.csv"),
        ("~/x.csv", "~/x.csv"),
        ("-", "-"),
    ],
)
def test_a_file_is_looked_for_from_the_configurations_folder(path, found):
    assert of(config.fallback, f'[fallback]\nQQQ = ["csv:{path}"]') == {QQQ: (Leg("csv", found),)}


def test_legs_without_a_prefix_are_of_the_source_that_is_set():
    assert list(of(config.units, '[units]\nVIX = "points"', "cboe")) == [Leg("cboe", "VIX")]
    assert of(config.fallback, '[fallback]\nVIX = ["SKEW"]', "cboe") == {Leg("cboe", "VIX"): (Leg("cboe", "SKEW"),)}


@pytest.mark.parametrize("read", [config.units, config.fallback])
def test_a_file_without_the_section_says_nothing(read):
    assert of(read, 'window = "1y"') == {}


def test_the_sections_are_no_unknown_settings():
    file = tomllib.loads('[units]\nA = "rate"\n[fallback]\nA = ["B"]\n[keys]\nfred = "x"')
    assert config.resolve({}, {}, file, FILE)["window"].text == "90d"


def test_a_plug_in_is_a_source_too(monkeypatch):
    from pairwatch import sources

    monkeypatch.setattr(sources, "every", lambda: (*sources.names(), "acme"))
    assert of(config.fallback, '[fallback]\nQQQ = ["acme"]') == {QQQ: (Leg("acme", "QQQ"),)}


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("value", ['"percent"', '""', "1", "[]", '"\\u001b"'])
def test_a_wrong_unit_is_named_with_its_leg(value):
    message, hint = refused(config.units, f'[units]\n"fred:UNRATE" = {value}')
    assert message.startswith("units.fred:UNRATE cannot be ")
    assert "rate" in hint


CHAINS = ['"yahoo"', "[]", "[1]", '[["yahoo"]]', '["a b"]', '[""]', '["nowhere:QQQ"]', '["csv"]', '["csv:"]']


@pytest.mark.parametrize("value", [*CHAINS, '["yahoo", "QQQ"]', '["IWM", "yahoo:iwm"]'])
def test_a_wrong_chain_is_named_with_its_leg(value):
    assert refused(config.fallback, f"[fallback]\nQQQ = {value}")[0].startswith("fallback.QQQ")


@pytest.mark.parametrize(("read", "section"), [(config.units, "units"), (config.fallback, "fallback")])
class TestBothSections:
    @pytest.mark.parametrize("value", ["1", "[]", '"QQQ"'])
    def test_one_that_is_no_table_is_told_its_form(self, read, section, value):
        assert refused(read, f"{section} = {value}") == (f"{section} is no table", f"write it as [{section}]")

    @pytest.mark.parametrize("name", ["a b", "nowhere:X", "", "\\u001b[31m"])
    def test_what_is_no_leg_is_named(self, read, section, name):
        good = '"rate"' if section == "units" else '["IWM"]'
        assert refused(read, f'[{section}]\n"{name}" = {good}')[0].startswith(f"{section}: ")

    def test_a_leg_in_two_spellings_is_refused(self, read, section):
        good = '"rate"' if section == "units" else '["IWM"]'
        message, _ = refused(read, f'[{section}]\nqqq = {good}\n"yahoo:QQQ" = {good}')
        assert message == f"{section} has QQQ twice: qqq, yahoo:QQQ"

    def test_a_dot_without_quotes_is_explained(self, read, section):
        assert "quotes" in refused(read, f"[{section}]\nBRK.B = 1")[1]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["units", "fallback"]), st.dictionaries(st.text(max_size=6), values) | values))
def test_any_file_is_read_or_refused(file):
    for read in (config.units, config.fallback):
        try:
            read(file, FILE)
        except UsageError as error:
            said = error.message
            assert said.startswith(f"{FILE}: ")
            assert is_clean(said)


# ---------------------------------------------------------------- --unit


@pytest.mark.parametrize(
    ("text", "leg", "declared"),
    [
        ("fred:UNRATE=rate", Leg("fred", "UNRATE"), Declared("rate", "", by_differences=True)),
        ("GC=F=level:ounces", Leg("yahoo", "GC=F"), Declared("level", "ounces")),
        ("csv:a=b.csv#x=index", Leg("csv", "a=b.csv#x"), Declared("index")),
    ],
)
def test_a_typed_unit_is_what_stands_behind_the_last_sign(text, leg, declared):
    assert config.typed_units([text]) == {leg: declared}


def test_of_two_units_of_a_leg_the_last_one_counts():
    assert config.typed_units(["VIX=rate", "vix=index"]) == {Leg("yahoo", "VIX"): Declared("index")}


@pytest.mark.parametrize("text", ["", "rate", "QQQ=", "=rate", "GC=F", "a b=rate", "nowhere:X=rate", "QQQ=\x1b"])
def test_a_typed_unit_that_is_none_is_told_the_form(text):
    with pytest.raises(UsageError) as caught:
        config.typed_units([text])
    assert caught.value.message.startswith("--unit")
    assert caught.value.hint
    assert is_clean(caught.value.message)
