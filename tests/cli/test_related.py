import csv
import io
import json

import pytest
from tests import builders
from tests.cli.running import on_terminal, two_lines

from pairwatch.cache import FILE_NAME, Cache
from pairwatch.model import Holding, Leg, Series

DEMO = ("related", "demo:TWIN1", "demo:TWIN2", "--as-of", "2026-06-30")
MINE = '{header}\nsymbol = "AAA"\nasset_class = "equity"\ntilt = "mine"\nregion = "US"\nhedges = ["bond"]\n'


@pytest.fixture
def held(tmp_path, monkeypatch):
    """A cache that holds QQQ, IWM and SPY."""
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    cache = Cache(tmp_path / "cache" / FILE_NAME)
    for seed, name in enumerate(("QQQ", "IWM", "SPY")):
        made = builders.series(builders.prices(builders.linked_returns(100, seed=seed)[0]))
        series = Series(Leg("yahoo", name), made.dates, made.closes, (), made.facts)
        holding = Holding(series, 1.7e9, 1.7e9, 1.7e9, builders.weekdays(0))
        cache.update(series.leg, lambda _, holding=holding: holding)
    return tmp_path / "cache"


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


def test_related_pairs_have_their_lines_and_say_what_is_not_cached(run, held):
    code, out, _ = run("related", "QQQ", "IWM", "--offline", "--section", "pairs", "--csv")
    found = {row["pair"]: row for row in rows(out)}
    assert code == 0
    assert len(found) == 10
    assert float(found["QQQ SPY"]["correlation"]) == pytest.approx(0, abs=0.5)
    assert found["QQQ SPY"]["n"] == "65"
    missing = [row for row in found.values() if not row["correlation"]]
    assert missing
    assert all("not cached: pairwatch fetch " in row["why"] for row in missing)


def test_nothing_but_the_pair_itself_is_fetched(run, provider):
    run("related", "QQQ", "IWM", "--csv")
    assert set(provider.asked) == {"QQQ", "IWM"}


def test_simulated_pairs_are_related_without_a_network(run):
    code, out, err = run(*DEMO, "--json")
    found = json.loads(out)
    assert code == 0
    assert "simulated" in err
    assert {row["pair"] for row in found["sections"]["pairs"]} >= {"demo:LEADER demo:FOLLOWER"}


def test_as_many_pairs_as_are_asked_for(run, held):
    out = run("related", "QQQ", "IWM", "--offline", "--count", "3", "--section", "pairs", "--csv")[1]
    assert len(rows(out)) == 3


@pytest.mark.parametrize("count", ["0", "101", "many"])
def test_a_count_that_is_none_is_refused(run, count):
    code, _, err = run(*DEMO, "--count", count)
    assert code == 2
    two_lines(err)


def test_a_file_adds_instruments_and_groups(run, cached, tmp_path):
    own = (
        MINE.format(header="[[instruments]]") + '[[groups]]\nname = "mine"\npairs = [["AAA", "BBB"], ["BBB", "SPY"]]\n'
    )
    (tmp_path / "mine.toml").write_text(own, "utf-8")
    out = run("related", "AAA", "BBB", "--offline", "--catalogue", "mine.toml", "--section", "pairs", "--csv")[1]
    assert "listed beside it: mine" in {row["why"].partition(";")[0] for row in rows(out)}


def test_the_configuration_file_adds_instruments(run, cached, tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text(MINE.format(header="[[instruments]]"), "utf-8")
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(tmp_path / "config.toml"))
    out = run("related", "AAA", "BBB", "--offline", "--json")[1]
    assert json.loads(out)["notes"]["pairs"][0].startswith("the catalogue has no asset class for BBB:")


def test_a_configured_instrument_that_is_none_is_named_with_its_file(run, cached, tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text('[[instruments]]\nname = "mine"\n', "utf-8")
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(tmp_path / "config.toml"))
    code, _, err = run("related", "AAA", "BBB", "--offline")
    assert code == 2
    assert "config.toml: instruments[1] has no key 'symbol'" in two_lines(err)[0]


def test_a_catalogue_that_is_not_there_is_an_error(run, cached):
    code, _, err = run("related", "AAA", "BBB", "--offline", "--catalogue", "nowhere.toml")
    assert code == 2
    assert "nowhere.toml cannot be read as a catalogue" in two_lines(err)[0]


def test_legs_that_are_unknown_are_looked_for_among_the_cached(run, cached):
    out = run("related", "AAA", "BBB", "--offline", "--json")[1]
    assert "the catalogue has no asset class for AAA, BBB: of 0 cached legs" in json.loads(out)["notes"]["pairs"][0]


def test_a_terminal_of_eighty_columns_holds_the_table(held):
    shown = on_terminal("related", "QQQ", "IWM", "--offline", "--as-of", "2026-11-20", NO_COLOR="1")
    assert max(map(len, shown.splitlines())) <= 80
    assert "pairwatch" in shown
    assert "ranked: one of each relation in turn" in shown


def test_a_leg_that_cannot_be_had_ends_with_3(run, held):
    assert run("related", "QQQ", "NOPE", "--offline")[0] == 3
