import csv
import io
import json
import re
import sys
import time

import pytest
from tests.cli.running import on_terminal, two_lines

from pairwatch import retrieval, sources
from pairwatch.cache import FILE_NAME, Cache
from pairwatch.cli.sources import HEADER, PROBED
from pairwatch.errors import NoNetwork, RateLimited, SourceError

REMOTE = [name for name in sources.names() if sources.about(name).remote]


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)


def table(out):
    return {row["source"]: row for row in csv.DictReader(io.StringIO(out))}


def listed(run, *args):
    """What a person at a terminal is told."""
    return run("sources", *args, "--format", "text")


def told(out, name):
    """What is said of one source."""
    return re.search(rf"^{name}( \(plug-in\))?\n((?:  .*\n)+)", out, re.MULTILINE)[2]


# ---------------------------------------------------------------- what is known without asking


def test_sources_lists_each_with_an_example(run):
    code, out, err = listed(run)
    assert (code, err) == (0, "")
    assert re.findall(r"^(\w+)$", out, re.MULTILINE) == list(sources.names())
    assert out.count("for example") == len(sources.names())


def test_a_row_of_a_source_says_the_same(run):
    code, out, _ = run("sources", "--csv")
    assert code == 0
    assert out.splitlines()[0] == ",".join(HEADER)
    assert list(table(out)) == list(sources.names())
    for name, row in table(out).items():
        assert row["gives"] == sources.about(name).gives
        assert (row["kind"], row["usable"]) == ("built-in", "true")


def test_json_says_the_same(run):
    found = json.loads(run("sources", "fred", "--json")[1])
    assert [tuple(one) for one in found] == [HEADER]
    assert found[0]["usable"] is True


def test_those_that_are_named_are_listed_once_and_in_order(run):
    out = listed(run, "cboe", "FRED", "cboe")[1]
    assert re.findall(r"^(\w+)$", out, re.MULTILINE) == ["cboe", "fred"]


def test_an_unknown_one_is_a_usage_error(run):
    code, out, err = run("sources", "bloom\x1bberg")
    assert (code, out) == (2, "")
    assert "yahoo" in two_lines(err)[1]
    assert "\x1b" not in err


def test_a_key_is_told_by_its_name_and_place_alone(run, monkeypatch, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('[keys]\ncoingecko_demo = "s3cret"\n')
    file.chmod(0o600)
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))
    monkeypatch.setenv("FRED_API_KEY", "s3cret")
    out = listed(run)[1]
    assert "usable; key: FRED_API_KEY from the environment" in told(out, "fred")
    assert f"usable; key: COINGECKO_DEMO_API_KEY from {file}" in told(out, "coingecko")
    assert "s3cret" not in out + "".join(run("sources", "--json")[1:])


def test_where_a_key_would_be_looked_for_is_told(run):
    said = told(listed(run)[1], "coingecko")
    assert "no key in COINGECKO_PRO_API_KEY or COINGECKO_DEMO_API_KEY, nor in the configuration file" in said


def test_a_key_that_cannot_be_one_makes_a_source_not_usable(run, monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", "s3 cret")
    code, out, _ = listed(run)
    assert code == 0
    assert "not usable now; FRED_API_KEY cannot be what it is" in told(out, "fred")


def test_the_keyring_stays_shut(run, monkeypatch):
    class Keyring:
        def get_password(self, *_):
            pytest.fail("the keyring was opened")

    monkeypatch.setitem(sys.modules, "keyring", Keyring())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert "the keyring is looked into when it is asked" in told(listed(run)[1], "fred")


def test_a_source_that_throttles_says_until_when(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path))
    Cache(tmp_path / FILE_NAME).pause("coingecko", time.time(), 3600)
    _, out, _ = listed(run)
    assert re.search("not usable now; throttled until .* UTC, for (59|60) min more", told(out, "coingecko"))
    assert "throttled" not in told(out, "fred")
    row = table(run("sources", "--csv")[1])["coingecko"]
    assert row["usable"] == "false"
    assert row["throttled_until"].endswith("UTC")


def test_offline_leaves_the_local_sources_usable(run):
    rows = table(run("sources", "--csv", "--offline")[1])
    assert {name for name, row in rows.items() if row["usable"] == "true"} == set(rows) - set(REMOTE)


def test_parquet_without_its_package_is_said(run, monkeypatch):
    assert "pyarrow" not in told(listed(run)[1], "csv")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "usable; parquet files need pyarrow" in told(listed(run)[1], "csv")


@pytest.fixture
def plugins(monkeypatch):
    """A plug-in, and one that is of no use."""
    known = sources.about
    acme = known("fred")._replace(gives="what Acme gives", keys=(), example="acme:ONE")

    def about(name):
        if name == "broken":
            raise SourceError("the plug-in broken (of broken 1.0) cannot be used", "update or uninstall broken 1.0")
        return acme if name == "acme" else known(name)

    monkeypatch.setattr(sources, "every", lambda: (*sources.names(), "acme", "broken"))
    for module in (sources, retrieval):
        monkeypatch.setattr(module, "about", about)


def test_plug_ins_are_marked_and_a_broken_one_says_why(run, plugins):
    code, out, _ = listed(run)
    assert code == 0
    assert "acme (plug-in)\n  what Acme gives\n" in out
    assert told(out, "broken") == "  not usable now; the plug-in broken (of broken 1.0) cannot be used\n"
    assert table(run("sources", "--csv")[1])["acme"]["kind"] == "plug-in"


def test_a_plug_in_whose_name_is_taken_is_said_not_to_be_used(run, provider, monkeypatch):
    monkeypatch.setattr("pairwatch.sources.plugins.taken", lambda: {"yahoo": "evil 1.2"})
    why = "evil 1.2, not used: a source that comes with pairwatch has this name"
    code, out, _ = listed(run, "yahoo", "--check")
    assert code == 0
    assert out.endswith(f"yahoo (plug-in)\n  not usable now; {why}\n")
    rows = run("sources", "--csv")[1].splitlines()
    assert [row for row in rows if row.startswith("yahoo,plug-in,")] == [f'yahoo,plug-in,,,,false,"{why}",,']
    assert "evil" not in listed(run, "cboe")[1]


# ---------------------------------------------------------------- asking


def test_each_remote_source_is_asked_for_its_example(run, provider):
    code, out, err = listed(run, "--check")
    assert (code, err) == (0, "")
    assert sorted(provider.asked) == sorted(sources.about(name).example.removeprefix("yahoo:") for name in REMOTE)
    for name in sources.names():
        assert bool(re.search(r"asked for \S+: ok in \d+ ms\n", told(out, name))) == (name in REMOTE)


def test_it_is_asked_also_when_the_answer_is_cached(run, provider):
    run("sources", "cboe", "--check")
    run("sources", "cboe", "--check")
    assert len(provider.asked) == 2


def test_it_has_ten_seconds_or_what_was_typed(run, provider):
    run("sources", "cboe", "--check")
    run("sources", "cboe", "--check", "--deadline", "3s")
    assert provider.deadlines == [10.0, 3.0]


def test_one_that_fails_is_exit_3_and_says_why(run, provider):
    provider.faults["fred:DGS10"] = NoNetwork("fred:DGS10: no host could be reached")
    code, out, err = listed(run, "--check")
    assert (code, err) == (3, "")
    assert "asked for fred:DGS10: failed: no host could be reached\n  hint: " in told(out, "fred")
    assert ": ok in " in told(out, "cboe")


def test_one_that_fails_is_said_beside_the_rows_too(run, provider):
    provider.faults["fred:DGS10"] = NoNetwork("fred:DGS10: no host could be reached")
    code, out, err = run("sources", "--check", "--csv")
    assert code == 3
    assert out.splitlines()[0] == ",".join((*HEADER, *PROBED))
    assert (table(out)["fred"]["check"], table(out)["cboe"]["check"], table(out)["demo"]["check"]) == (
        "failed",
        "ok",
        "",
    )
    assert int(table(out)["cboe"]["ms"]) >= 0
    two_lines(err)


def test_older_data_in_the_cache_are_no_answer(run, provider):
    run("sources", "fred", "--check")
    provider.faults["fred:DGS10"] = NoNetwork("fred:DGS10: no host could be reached")
    assert run("sources", "fred", "--check")[0] == 3


def test_one_that_throttles_is_not_asked_again(run, provider):
    provider.faults["fred:DGS10"] = RateLimited("fred:DGS10: throttled", retry_after=600)
    listed(run, "fred", "--check")
    code, out, _ = listed(run, "fred", "--check")
    assert (code, len(provider.asked)) == (3, 1)
    assert "throttles this machine" in told(out, "fred")


def test_a_check_needs_the_network(run, provider):
    code, out, err = run("sources", "--check", "--offline")
    assert (code, out, provider.asked) == (2, "", [])
    two_lines(err)


def test_a_check_uses_neither_fallbacks_nor_the_users_currency(run, provider, tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text('currency = "JPY"\n[fallback]\n"fred:DGS10" = ["demo:TWIN1"]\n')
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(tmp_path / "config.toml"))
    provider.faults["fred:DGS10"] = NoNetwork("fred:DGS10: no host could be reached")
    assert run("sources", "fred", "--check")[0] == 3
    assert provider.asked == ["fred:DGS10"]


def test_a_plug_in_of_no_use_fails_the_check(run, provider, plugins):
    code, out, _ = listed(run, "acme", "broken", "--check")
    assert code == 3
    assert "asked for acme:ONE: ok" in told(out, "acme")
    assert "failed: the plug-in broken" in told(out, "broken")
    assert "hint: update or uninstall broken 1.0" in told(out, "broken")


# ---------------------------------------------------------------- formats


def test_a_pipe_gets_rows_and_a_terminal_lines(run):
    assert run("sources") == run("sources", "--csv") == run("sources", "-f", "auto")
    shown = on_terminal("sources")
    assert re.findall(r"^(\w+)$", shown, re.MULTILINE) == list(sources.names())
    assert max(map(len, shown.splitlines())) <= 80


def test_a_format_that_there_is_not_is_a_usage_error(run):
    code, out, err = run("sources", "-f", "table")
    assert (code, out) == (2, "")
    assert two_lines(err)[1] == "hint: one of auto, text, csv, json"


def test_why_one_is_not_usable_is_what_it_failed_of_and_not_a_missing_key(run, provider):
    provider.faults["fred:DGS10"] = NoNetwork("fred:DGS10: no host could be reached")
    (row,) = json.loads(run("sources", "fred", "--check", "--json")[1])
    assert (row["usable"], row["why"]) == (False, "no host could be reached")
    assert "not usable now: it gave no answer; no key in FRED_API_KEY" in told(
        listed(run, "fred", "--check")[1], "fred"
    )
    assert json.loads(run("sources", "fred", "--json")[1])[0]["why"].startswith("no key in FRED_API_KEY")
