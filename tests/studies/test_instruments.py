import json
import re
import tomllib

import pytest

from pairwatch.errors import UsageError
from pairwatch.model import Leg
from pairwatch.studies import instruments
from pairwatch.text import clean

OWN = {"symbol": "csv:mine.csv", "asset_class": "equity", "tilt": "value", "region": "UK"}


def given(**more):
    return {"instruments": [{**OWN, **more}]}


def test_what_is_read_is_what_people_write():
    source = instruments.SHIPPED.with_suffix(".toml").read_text("utf-8")
    shipped = json.loads(instruments.SHIPPED.read_text("utf-8"))
    assert shipped == tomllib.loads(source), "run python tools/instruments.py"


def test_the_shipped_catalogue_has_the_well_known_legs_of_every_kind():
    every = instruments.shipped().instruments
    assert 80 <= len(every) <= 200
    assert {one.kind for one in every.values()} == set(instruments.KINDS)
    for leg in ("QQQ", "IWM", "^VIX", "fred:DGS10", "cboe:VIX", "coingecko:bitcoin", "GLD", "TLT"):
        assert Leg.parse(leg) in every


def test_every_shipped_instrument_has_a_fact_that_follows_its_name():
    for one in instruments.shipped().instruments.values():
        assert re.match(r"(holds|is) \S", one.fact), one
        assert not one.fact.endswith("."), one
        assert clean(one.fact, instruments.LONGEST_FACT) == one.fact, one
        assert one.name, one


def test_every_leg_of_a_shipped_group_is_an_instrument_or_simulated():
    known = instruments.shipped()
    for group in known.groups:
        for leg in (leg for pair in group.pairs for leg in pair):
            assert leg in known.instruments or leg.source == "demo", leg


def test_no_shipped_pair_is_listed_twice():
    pairs = [frozenset(pair) for group in instruments.shipped().groups for pair in group.pairs]
    assert len(pairs) == len(set(pairs))


def test_each_kind_and_region_has_at_most_one_market():
    markets = {}
    for one in instruments.shipped().instruments.values():
        if one.market:
            markets.setdefault((one.kind, one.region), set()).add(one.identity)
    assert all(len(found) == 1 for found in markets.values()), markets


def test_legs_that_track_the_same_thing_are_alike():
    by_identity = {}
    for one in instruments.shipped().instruments.values():
        by_identity.setdefault(one.identity, set()).add((one.kind, one.tilt, one.region))
    assert all(len(found) == 1 for found in by_identity.values())


def test_simulated_legs_of_the_groups_are_those_of_the_source():
    from pairwatch.sources.demo import PAIRS

    listed = {leg.symbol for g in instruments.shipped().groups for p in g.pairs for leg in p if leg.source == "demo"}
    assert listed <= {symbol for pair in PAIRS for symbol in pair.legs}


def test_an_instrument_of_the_users_replaces_the_shipped_one():
    found = instruments.catalogue(given(symbol="QQQ", fact="holds what I say"), "config.toml")
    assert found.get(Leg.parse("QQQ")).fact == "holds what I say"
    assert found.get(Leg.parse("IWM")) == instruments.shipped().get(Leg.parse("IWM"))


def test_a_file_has_the_last_word_and_adds_its_groups(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[[instruments]]\nsymbol = "QQQ"\nasset_class = "equity"\ntilt = "mine"\nregion = "US"\n'
        '[[groups]]\nname = "my pairs"\npairs = [["QQQ", "csv:a.csv"]]\n',
        "utf-8",
    )
    found = instruments.catalogue(given(symbol="QQQ"), "config.toml", file)
    assert found.get(Leg.parse("QQQ")).tilt == "mine"
    assert found.groups[-1] == instruments.Group("my pairs", ((Leg("yahoo", "QQQ"), Leg("csv", "a.csv")),))


def test_legs_without_a_prefix_come_from_the_source_that_is_set():
    found = instruments.parsed(given(symbol="DGS10"), "x", "fred")
    assert list(found.instruments) == [Leg("fred", "DGS10")]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"asset_class": "share"}, "x: instruments[1].asset_class cannot be 'share'"),
        ({"tilt": 3}, "x: instruments[1].tilt cannot be '3'"),
        ({"fact": "holds\x1b[31m"}, "x: instruments[1].fact cannot be 'holds\ufffd[31m'"),
        ({"fact": "x" * 121}, "x: instruments[1].fact cannot be"),
        ({"symbol": 7}, "x: instruments[1]: '7' is no leg"),
        ({"symbol": "no such"}, "x: instruments[1]: not a leg"),
        ({"market": "yes"}, "x: instruments[1].market cannot be 'yes'"),
        ({"hedges": "equity"}, "x: instruments[1].hedges cannot be 'equity'"),
        ({"hedges": ["gold"]}, "x: instruments[1].hedges cannot be"),
        ({"hedges": [[]]}, "x: instruments[1].hedges cannot be"),
        ({"colour": "red"}, "x: instruments[1] knows no key 'colour'"),
    ],
)
def test_what_cannot_be_an_instrument_is_refused_with_its_place(more, message):
    with pytest.raises(UsageError) as caught:
        instruments.parsed(given(**more), "x")
    assert caught.value.message.startswith(message)
    assert caught.value.hint


def test_a_symbol_is_all_that_an_instrument_needs():
    found = instruments.parsed({"instruments": [{"symbol": "csv:mine.csv"}]}, "x").get(Leg("csv", "mine.csv"))
    assert found == instruments.Instrument(Leg("csv", "mine.csv"))
    with pytest.raises(UsageError, match=r"instruments\[1\] has no key 'symbol'"):
        instruments.parsed({"instruments": [{"name": "my book"}]}, "x")


@pytest.mark.parametrize("wrong", ["[[instruments]]\nname = 'x'", "[[instruments]]\nsymbol = 'QQQ'\ncolour = 1"])
def test_the_hint_shows_one_line_that_works(wrong):
    with pytest.raises(UsageError) as caught:
        instruments.parsed(tomllib.loads(wrong), "x")
    line = caught.value.hint.partition("one line that works: ")[2]
    assert Leg.parse("QQQ") in instruments.parsed(tomllib.loads(line), "x").instruments


def test_the_hint_for_a_group_shows_one_line_that_works():
    with pytest.raises(UsageError) as caught:
        instruments.parsed({"groups": [{"name": "x"}]}, "x")
    line = caught.value.hint.partition("one line that works: ")[2]
    assert instruments.parsed(tomllib.loads(line), "x").groups[0].name == "mine"


def test_the_names_that_keys_had_before_are_read_too():
    before = {"leg": "csv:mine.csv", "kind": "equity", "tilt": "value", "region": "UK"}
    assert instruments.parsed({"instruments": [before]}, "x") == instruments.parsed(given(), "x")
    with pytest.raises(UsageError, match="knows no key 'leg'"):  # of both, which one is meant
        instruments.parsed(given(leg="QQQ"), "x")


def test_legs_of_which_no_class_is_known_are_like_nothing():
    one, other = (instruments.Instrument(Leg("csv", name)) for name in ("a.csv", "b.csv"))
    assert not one.is_like(other)
    assert not one._replace(kind="equity").is_like(other._replace(kind="equity"))


def test_an_instrument_that_is_there_twice_is_refused():
    with pytest.raises(UsageError, match=r"instruments\[2\]\.symbol"):
        instruments.parsed({"instruments": [{**OWN, "symbol": "qqq"}, {**OWN, "symbol": "QQQ"}]}, "x")


@pytest.mark.parametrize(
    "groups",
    [
        {"name": "x"},
        [7],
        [{"name": "x"}],
        [{"name": "x", "pairs": []}],
        [{"name": "x", "pairs": [["QQQ"]]}],
        [{"name": "x", "pairs": ["QQQ IWM"]}],
        [{"name": "x", "pairs": [["QQQ", "qqq"]]}],
        [{"name": "", "pairs": [["QQQ", "IWM"]]}],
        [{"name": "x", "pairs": [["QQQ", 1]]}],
    ],
)
def test_what_cannot_be_a_group_is_refused(groups):
    with pytest.raises(UsageError):
        instruments.parsed({"groups": groups}, "x")


@pytest.mark.parametrize("section", [{"a": 1}, "QQQ", 3])
def test_instruments_are_a_list_of_tables(section):
    with pytest.raises(UsageError):
        instruments.parsed({"instruments": section if isinstance(section, (dict, str)) else [section]}, "x")


@pytest.mark.parametrize("text", ["instruments = ", "[[instrument]]\nleg='QQQ'", "\xff"])
def test_a_file_that_is_no_catalogue_is_named(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_text(text, "latin-1")
    with pytest.raises(UsageError, match=r"mine\.toml"):
        instruments.read(file)


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be read as a catalogue"):
        instruments.read(tmp_path / name)


def test_the_shipped_file_is_written_as_its_reader_says():
    text = instruments.SHIPPED.with_suffix(".toml").read_text("utf-8")
    assert set(tomllib.loads(text)) == {"instruments", "groups"}
