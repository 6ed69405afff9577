"""What is said of single legs, with every command that asks for them: units, fallbacks, currency, alignment."""

import json
import time

import numpy as np
import pytest
from tests.cli.running import two_lines

from pairwatch.errors import NoNetwork

PAIR = ("fred:AAA", "cboe:BBB")


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Writes the configuration file."""
    file = tmp_path / "conf" / "config.toml"
    file.parent.mkdir()
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))

    def write(text):
        file.write_text(text)
        return file

    write("")
    return write


def compared(run, *args):
    """What is said of the pair, whether from the network or from the cache."""
    run("fetch", *PAIR)
    code, out, err = run("compare", *PAIR, "--json", *args)
    assert code == 0, err
    return json.loads(out)


# ---------------------------------------------------------------- units


def test_a_typed_unit_changes_the_numbers_as_the_file_does(run, provider, configured):
    plain = compared(run)
    typed = compared(run, "--unit", "fred:aaa=rate")
    configured('[units]\n"fred:AAA" = "rate"\n')
    assert plain != compared(run) == typed


def test_a_typed_unit_beats_the_files(run, provider, configured):
    plain = compared(run, "--unit", "fred:AAA=price")
    configured('[units]\n"fred:AAA" = "rate"\n')
    assert compared(run, "--unit", "fred:AAA=price") == plain


def test_a_unit_may_be_typed_for_each_leg(run, provider):
    one = compared(run, "--unit", "fred:AAA=rate")
    assert compared(run, "--unit", "fred:AAA=rate", "--unit", "cboe:BBB=points") != one


WITH_UNITS = {
    "compare": ("compare", *PAIR),
    "snapshot": ("snapshot", *PAIR),
    "history": ("history", *PAIR, "--recompute"),
    "diff": ("diff", *PAIR, "latest", "now"),
    "check": ("check", *PAIR, "--when", "correlation < 2"),
}


@pytest.mark.parametrize("command", WITH_UNITS.values(), ids=WITH_UNITS)
def test_a_unit_of_a_leg_that_is_not_in_the_run_is_refused(run, provider, command):
    code, out, err = run(*command, "--unit", "fred:AAB=rate")
    assert (code, out, provider.asked) == (2, "", [])
    assert two_lines(err) == [
        "error: --unit names fred:AAB, which is no leg of this run",
        "hint: the legs are fred:AAA, cboe:BBB",
    ]


@pytest.mark.parametrize("command", WITH_UNITS.values(), ids=WITH_UNITS)
def test_a_unit_that_is_none_is_refused(run, provider, command):
    code, out, err = run(*command, "--unit", "fred:AAA=percent")
    assert (code, out, provider.asked) == (2, "", [])
    two_lines(err)


@pytest.mark.parametrize(
    "command",
    [("compare", *PAIR, "--vintage", "latest"), ("history", *PAIR), ("diff", *PAIR)],
    ids=" ".join,
)
def test_what_was_stored_has_its_units(run, provider, command):
    code, _, err = run(*command, "--unit", "fred:AAA=rate")
    assert code == 2
    assert "--unit" in two_lines(err)[0]


# ---------------------------------------------------------------- fallbacks


def test_a_leg_that_cannot_be_had_is_had_from_where_the_file_says(run, provider, configured):
    provider.faults["fred:AAA"] = NoNetwork("fred:AAA: no host could be reached")
    assert run("compare", *PAIR)[0] == 3
    configured('[fallback]\n"fred:AAA" = ["fred", "yahoo"]\n')
    code, out, _ = run("compare", *PAIR, "--json")
    assert code == 0
    assert "fred:AAA: from AAA" in out


def test_a_file_to_fall_back_on_is_looked_for_beside_the_configuration(run, provider, configured):
    provider.faults["fred:AAA"] = NoNetwork("fred:AAA: no host could be reached")
    file = configured('[fallback]\n"fred:AAA" = ["fred", "csv:kept.csv"]\n')
    days = np.datetime64(int(time.time()), "s").astype("datetime64[D]") - np.arange(200, 0, -1)
    (file.parent / "kept.csv").write_text("date,close\n" + "".join(f"{d},{100 + i % 7}\n" for i, d in enumerate(days)))
    code, out, err = run("compare", *PAIR, "--json")
    assert code == 0, err
    assert f"csv:{file.parent}/kept.csv" in out
    given = json.loads(out)
    assert given["a"]["source"] == f"csv:{file.parent}/kept.csv for fred"
    assert not given["stale"]
    table = run("compare", *PAIR, "--format", "table")[1]
    assert f"csv:{file.parent}/kept.csv for fred · last close" in " ".join(table.split())
    assert f"from a file (csv:{file.parent}/kept.csv)" in " ".join(table.split())


def test_a_wrong_section_is_named_before_anything_is_asked(run, provider, configured):
    file = configured('[fallback]\nQQQ = "yahoo"\n')
    code, out, err = run("compare", *PAIR)
    assert (code, out, provider.asked) == (2, "", [])
    assert two_lines(err)[0].startswith(f"error: {file}: fallback.QQQ")


def test_commands_that_ask_for_no_leg_do_not_look_at_the_sections(run, configured):
    configured("[fallback]\nQQQ = 1\n[units]\nQQQ = 1\n[keys]\nfred = 1\n")
    assert run("cache", "path")[0] == run("watchlist", "list")[0] == 0


def test_config_show_names_every_section_that_cannot_be_read(run, configured):
    configured("[fallback]\nQQQ = 1\n[units]\nQQQ = 1\n[keys]\nfred = 1\n")
    code, out, err = run("config", "show")
    assert (code, out.splitlines()[0]) == (2, "setting,value,origin")
    assert [line.rpartition(": ")[2].split()[0] for line in err.splitlines() if line.startswith("error: ")] == [
        "units.QQQ",
        "fallback.QQQ",
        "keys.fred",
    ]


def test_where_a_key_may_not_be_used_the_next_of_the_chain_stands_in(run, provider, configured):
    told = '[fallback]\n"fred:AAA" = ["fred", "yahoo"]\n[keys]\nfred = "s3cret"\n'
    configured(told).chmod(0o644)
    code, _, err = run("compare", "fred:AAA", "BBB", "--csv")
    assert code == 0, err
    assert "keys can be read by others (mode 644)" in err
    assert "fred:AAA" not in provider.asked


def test_config_show_shows_no_key(run, configured):
    configured('[keys]\nfred = "s3cret"\n').chmod(0o600)
    code, out, err = run("config", "show")
    assert code == 0
    assert "s3cret" not in out + err


# ---------------------------------------------------------------- currency and alignment


def test_the_same_currency_asks_for_no_rate(run, provider):
    compared(run, "--currency", "usd")
    assert sorted(provider.asked) == sorted(PAIR)


def test_a_way_to_line_up_is_told(run, provider):
    assert compared(run)["receipt"] != compared(run, "--align", "two-day")["receipt"]
    assert compared(run)["receipt"] == compared(run, "--align", "date")["receipt"]


QUESTIONS = {
    **WITH_UNITS,
    "history of snapshots": ("history", *PAIR),
    "digest": ("digest",),
}


@pytest.mark.parametrize("command", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("args", [("--currency", "dollars"), ("--align", "somehow")], ids=" ".join)
def test_every_question_can_have_them_and_refuses_what_they_cannot_be(run, provider, command, args):
    code, out, err = run(*command, *args)
    assert (code, out, provider.asked) == (2, "", [])
    assert two_lines(err)[0] == f"error: {args[0]} cannot be '{args[1]}'"


def test_snapshots_of_another_alignment_are_another_question(run, provider, tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path / "data"))
    assert run("snapshot", *PAIR, "--align", "two-day")[0] == 0
    assert run("history", *PAIR)[0] == 4
    code, out, _ = run("history", *PAIR, "--align", "two-day", "--csv")
    assert (code, len(out.splitlines())) == (0, 2)
    assert run("digest")[0] == 4
    assert run("digest", "--align", "two-day")[0] == 0
    assert run("check", *PAIR, "--align", "two-day", "--when", "correlation > 2")[0] == 0


def test_a_watch_list_takes_legs_of_every_source(run):
    for leg in ("fred:dgs10", "cboe:vix", "coingecko:Bitcoin", "coingecko:ethereum/eur"):
        assert run("watchlist", "add", leg, "QQQ")[0] == 0
    assert run("watchlist", "list")[1].splitlines()[1:] == [
        "fred:DGS10,QQQ,",
        "cboe:VIX,QQQ,",
        "coingecko:bitcoin,QQQ,",
        "coingecko:ethereum/eur,QQQ,",
    ]


@pytest.mark.parametrize("legs", [("fred:AAA", "fred:BBB"), ("demo:TWIN1", "demo:TWIN2")], ids=" ".join)
def test_a_currency_that_changes_nothing_is_said_of_each_leg(run, provider, configured, legs):
    configured('[units]\n"fred:AAA" = "rate"\n"fred:BBB" = "rate"\n')
    code, _, err = run("compare", *legs, "--currency", "XXX")
    assert code == 0
    assert [line for line in err.splitlines() if line.endswith("not converted to XXX")] == [
        f"note: {leg}: {'a rate' if leg.startswith('fred') else 'simulated'}, not converted to XXX" for leg in legs
    ]
