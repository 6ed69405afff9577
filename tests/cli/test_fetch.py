import csv
import io
import json
import sys
from dataclasses import replace

import pytest
from tests.cli.running import two_lines

from pairwatch.cache import FILE_NAME, Cache
from pairwatch.cli.fetch import HEADER
from pairwatch.errors import NoNetwork, RateLimited


def rows(out):
    return list(csv.DictReader(io.StringIO(out)))


def states(out):
    return {row["leg"]: row["state"] for row in rows(out)}


def held(tmp_path):
    return {str(entry.leg) for entry in Cache(tmp_path / "cache" / FILE_NAME).entries()}


# ---------------------------------------------------------------- what is fetched


def test_legs_of_several_sources_are_fetched_and_kept(run, provider, tmp_path):
    code, out, err = run("fetch", "QQQ", "fred:DGS10", "cboe:VIX")
    assert (code, err) == (0, "")
    assert states(out) == {"QQQ": "fetched", "fred:DGS10": "fetched", "cboe:VIX": "fetched"}
    assert held(tmp_path) == {"QQQ", "fred:DGS10", "cboe:VIX"}


def test_the_report_names_what_is_held(run, provider):
    _, out, _ = run("fetch", "QQQ")
    assert out.splitlines()[0] == ",".join(HEADER)
    (row,) = rows(out)
    assert row["closes"] == "250"
    assert row["first"] < row["last"]
    assert float(row["seconds"]) >= 0
    assert row["error"] == ""


def test_a_second_run_asks_for_nothing(run, provider):
    run("fetch", "QQQ", "IWM")
    provider.asked.clear()
    code, out, _ = run("fetch", "IWM", "QQQ", "SPY")
    assert code == 0
    assert states(out) == {"IWM": "fresh", "QQQ": "fresh", "SPY": "fetched"}
    assert provider.asked == ["SPY"]


def test_what_was_fetched_serves_a_comparison(run, provider):
    run("fetch", "QQQ", "IWM")
    provider.asked.clear()
    assert run("compare", "QQQ", "IWM")[0] == 0
    assert provider.asked == []


@pytest.mark.parametrize("args", [("--refresh",), ("--max-age", "0s")], ids=" ".join)
def test_what_is_fresh_is_asked_for_again_on_demand(run, provider, args):
    run("fetch", "QQQ")
    code, out, err = run("fetch", "QQQ", *args)
    assert (code, states(out), err) == (0, {"QQQ": "fetched"}, "")


def test_a_leg_in_several_spellings_is_fetched_once_where_it_first_stands(run, provider):
    _, out, _ = run("fetch", "qqq", "IWM", "yahoo:QQQ")
    assert list(states(out)) == ["QQQ", "IWM"]
    assert sorted(provider.asked) == ["IWM", "QQQ"]


def test_legs_without_a_prefix_are_of_the_source_that_is_set(run, provider):
    assert states(run("fetch", "VIX", "--source", "cboe")[1]) == {"cboe:VIX": "fetched"}


def test_a_local_leg_is_read_and_said_to_be_local(run, provider):
    code, out, err = run("fetch", "demo:TWIN1", "QQQ")
    assert (code, err) == (0, "")
    assert states(out) == {"demo:TWIN1": "local", "QQQ": "fetched"}
    assert int(rows(out)[0]["closes"]) > 1000


def test_a_file_that_is_not_there_is_a_failure(run, provider):
    code, out, err = run("fetch", "csv:nowhere.csv", "QQQ")
    assert code == 3
    assert states(out) == {"csv:nowhere.csv": "failed", "QQQ": "fetched"}
    assert "nowhere.csv" in two_lines(err)[0]


def test_the_whole_watch_list_is_fetched_on_demand(run, provider):
    run("watchlist", "add", "QQQ", "IWM")
    run("watchlist", "add", "fred:DGS10", "QQQ")
    assert list(states(run("fetch", "SPY", "--all")[1])) == ["SPY", "QQQ", "IWM", "fred:DGS10"]


def test_an_empty_watch_list_is_a_usage_error(run, provider):
    code, _, err = run("fetch", "--all")
    assert code == 2
    assert "watch list" in two_lines(err)[0]


# ---------------------------------------------------------------- what fails


def test_failed_legs_are_listed_at_the_end_and_the_rest_is_kept(run, provider, tmp_path):
    provider.faults["IWM"] = NoNetwork("IWM: no host could be reached")
    code, out, err = run("fetch", "IWM", "QQQ", "fred:NOPE1", "fred:NOPE2")
    assert code == 3
    assert states(out) == {"IWM": "failed", "QQQ": "fetched", "fred:NOPE1": "failed", "fred:NOPE2": "failed"}
    assert rows(out)[0]["error"] == "IWM: no host could be reached"
    lines = err.splitlines()
    unknown = lines.index("error: fred:NOPE1: no such series"), lines.index("error: fred:NOPE2: no such series")
    assert lines[max(unknown) + 1].startswith("hint: check the spelling")  # once for both, behind them
    assert lines[lines.index("error: IWM: no host could be reached") + 1].startswith("hint: check the connection")
    assert len(lines) == 5  # a hint of each kind
    assert held(tmp_path) == {"QQQ"}


def test_one_leg_that_fails_is_two_lines(run, provider):
    code, _, err = run("fetch", "NOPE")
    assert code == 3
    two_lines(err)


def test_a_source_that_fails_where_older_data_are_held_is_a_note(run, provider):
    run("fetch", "QQQ")
    provider.faults["QQQ"] = NoNetwork("QQQ: no host could be reached")
    code, out, err = run("fetch", "QQQ", "--max-age", "0s")
    assert code == 0
    assert states(out) == {"QQQ": "stale"}
    assert "no host could be reached" in rows(out)[0]["error"]
    assert err.startswith("note: QQQ: no host could be reached; from the cache")
    assert run("fetch", "QQQ", "--max-age", "0s", "--fail-stale")[0] == 6
    assert run("fetch", "QQQ", "--max-age", "0s", "-q")[2] == ""


def test_a_history_a_hundred_times_what_it_was_is_stale_until_it_is_accepted_which_is_said(run, provider):
    run("fetch", "QQQ")
    given = provider.fetch

    def times(request):
        answer = given(request)
        return answer._replace(series=replace(answer.series, closes=answer.series.closes * 100))

    provider.fetch = times
    for _ in range(2):
        code, out, err = run("fetch", "QQQ", "--max-age", "0s", "--fail-stale")
        assert (code, states(out)) == (6, {"QQQ": "stale"})
        assert "if that is right: pairwatch fetch QQQ --refresh" in err
    code, out, err = run("fetch", "QQQ", "--refresh")
    assert (code, states(out)) == (0, {"QQQ": "fetched"})
    assert "note: QQQ: all closes are 100 times what they were" in err
    assert run("fetch", "QQQ", "--max-age", "0s", "--fail-stale")[::2] == (0, "")


def test_a_source_that_throttles_is_left_alone_from_then_on(run, provider):
    provider.faults["fred:AAA"] = RateLimited("fred:AAA: throttled", retry_after=3600)
    code, out, _ = run("fetch", "fred:AAA", "QQQ")
    assert code == 3
    provider.asked.clear()
    code, out, _ = run("fetch", "fred:BBB", "IWM")
    assert states(out) == {"fred:BBB": "failed", "IWM": "fetched"}
    assert provider.asked == ["IWM"]


# ---------------------------------------------------------------- files of legs


def test_a_file_names_a_leg_a_line(run, provider, tmp_path):
    (tmp_path / "legs.txt").write_bytes(
        b"\xef\xbb\xbf# all of them\r\nQQQ  # tech\r\n\r\n  fred:DGS10\r\ncsv:a b.csv#x\r\nqqq\r\n"
    )
    code, out, _ = run("fetch", "SPY", "--file", "legs.txt")
    assert code == 3  # there is no such file
    assert list(states(out)) == ["SPY", "QQQ", "fred:DGS10", "csv:a b.csv#x"]


def test_a_file_may_be_standard_input(run, provider, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"QQQ\nIWM\n")))
    assert list(states(run("fetch", "--file", "-")[1])) == ["QQQ", "IWM"]


@pytest.mark.parametrize("line", ["QQQ IWM", "nowhere:QQQ", "a/b", "QQQ,IWM", "\x1b[31m", "fred:"])
def test_a_bad_line_is_named_before_anything_is_asked(run, provider, tmp_path, line):
    (tmp_path / "legs.txt").write_text(f"QQQ\n\n{line}\nIWM\n")
    code, out, err = run("fetch", "SPY", "--file", "legs.txt")
    assert (code, out) == (2, "")
    assert two_lines(err)[0].startswith("error: legs.txt, line 3: ")
    assert "\x1b" not in err
    assert provider.asked == []


@pytest.mark.parametrize("text", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(run, provider, tmp_path, text):
    if text:
        (tmp_path / "legs.txt").write_bytes(text)
    code, _, err = run("fetch", "--file", "legs.txt")
    assert code == 2
    assert two_lines(err)[0].startswith("error: legs.txt cannot be read")


# ---------------------------------------------------------------- what is refused


USAGE = {
    "no leg at all": (),
    "no leg": ("",),
    "a leg that is none": ("a/b",),
    "no such source": ("nowhere:QQQ",),
    "markdown": ("QQQ", "-f", "markdown"),
    "csv and json": ("QQQ", "--csv", "--json"),
    "an output in no folder": ("QQQ", "-o", "nowhere/all.csv"),
}


@pytest.mark.parametrize("args", USAGE.values(), ids=USAGE)
def test_what_cannot_be_asked_is_two_lines_and_exit_2(run, provider, args):
    code, out, err = run("fetch", *args)
    assert (code, out) == (2, "")
    two_lines(err)


def test_an_empty_file_names_no_leg(run, provider, tmp_path):
    (tmp_path / "legs.txt").write_text("# nothing\n")
    assert run("fetch", "--file", "legs.txt")[0] == 2


def test_an_option_that_could_only_fail_is_not_there(run, provider):
    code, out, err = run("fetch", "QQQ", "--offline")
    assert (code, out, provider.asked) == (2, "", [])
    assert "--offline" in two_lines(err)[0]
    assert "--offline" not in run("fetch", "--help")[1]


def test_offline_of_the_environment_is_undone_by_a_flag(run, provider, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_OFFLINE", "1")
    code, out, err = run("fetch", "QQQ")
    assert (code, out) == (2, "")
    assert two_lines(err)[1] == "hint: say --no-offline"
    assert run("fetch", "QQQ", "--no-offline")[0] == 0


def test_a_source_that_there_is_not_is_refused_with_the_way_round(run, provider):
    code, _, err = run("fetch", "stooq:qqq.us")
    assert code == 2
    error, hint = two_lines(err)
    assert error == "error: no source is called 'stooq'"
    assert hint.startswith("hint: the sources are yahoo, fred, coingecko, cboe, csv, demo")
    assert hint.endswith("; of any other, save its closes as a file: csv:FILE")
    assert two_lines(run("compare", "stooq:qqq.us", "QQQ")[2]) == [error, hint]


# ---------------------------------------------------------------- keys


def test_each_source_is_handed_its_own_key(run, provider, monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", "s3cret")
    run("fetch", "fred:DGS10")
    run("fetch", "QQQ")
    assert provider.keys == [("FRED_API_KEY", "s3cret", "the environment"), None]


def test_the_file_has_keys_if_nobody_else_can_read_it(run, provider, tmp_path, monkeypatch):
    file = tmp_path / "config.toml"
    file.write_text('[keys]\ncoingecko_demo = "s3cret"\n')
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))
    file.chmod(0o644)
    code, out, err = run("fetch", "coingecko:bitcoin")
    assert (code, provider.asked) == (3, [])
    assert out.endswith(f"{file}: keys can be read by others (mode 644)\n")
    assert f"chmod 600 {file}" in err
    code, _, err = run("fetch", "QQQ")
    assert code == 0
    [note] = err.splitlines()
    assert note.startswith(f"note: {file}: keys can be read by others (mode 644), and are not used; chmod 600 {file}, ")
    assert run("fetch", "demo:LEADER", "--quiet")[2] == ""
    code, out, _ = run("fetch", "QQQ", "IWM", "coingecko:bitcoin", "--csv", "--refresh")
    assert (code, [row.split(",")[1] for row in out.splitlines()[1:]]) == (3, ["fetched", "fetched", "failed"])
    provider.keys.clear()
    file.chmod(0o600)
    assert run("fetch", "coingecko:bitcoin")[::2] == (0, "")
    assert provider.keys == [("COINGECKO_DEMO_API_KEY", "s3cret", str(file))]


def test_a_key_that_cannot_be_one_is_refused_before_anything_is_asked_and_not_shown(run, provider, monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", "s3c ret")
    code, out, err = run("fetch", "QQQ", "fred:DGS10")
    assert (code, out, provider.asked) == (2, "", [])
    assert two_lines(err)[0] == "error: FRED_API_KEY cannot be what it is"
    assert run("fetch", "QQQ")[0] == 0  # another source has nothing to do with it


def test_no_key_is_shown_or_kept_anywhere(run, provider, tmp_path, monkeypatch):
    file = tmp_path / "config.toml"
    file.write_text('log_file = "log.jsonl"\n[keys]\nfred = "s3cret"\n')
    file.chmod(0o600)
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))
    monkeypatch.setenv("COINGECKO_DEMO_API_KEY", "s3cret")
    said = [*run("fetch", "fred:NOPE", "coingecko:bitcoin", "-v"), *run("config", "show"), *run("sources", "--check")]
    assert "s3cret" not in "".join(map(str, said))
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]
    assert len(kept) == 2  # the cache and the log
    assert not any(b"s3cret" in path.read_bytes() for path in kept)


# ---------------------------------------------------------------- the report


def test_a_report_is_json_on_demand(run, provider):
    found = json.loads(run("fetch", "QQQ", "fred:NOPE", "--json")[1])
    assert [tuple(row) for row in found] == [HEADER, HEADER]
    assert [(row["state"], row["closes"]) for row in found] == [("fetched", 250), ("failed", None)]


def test_a_report_is_a_table_on_demand(run, provider):
    lines = run("fetch", "QQQ", "-f", "table")[1].splitlines()
    assert lines[0].split() == ["leg", "state", "closes", "first", "last", "seconds"]
    assert lines[1].split()[:3] == ["QQQ", "fetched", "250"]


def test_a_report_goes_into_a_file(run, provider, tmp_path):
    code, out, _ = run("fetch", "QQQ", "-o", "report.json")
    assert (code, out) == (0, "")
    assert json.loads((tmp_path / "report.json").read_text())[0]["leg"] == "QQQ"


def test_the_log_has_a_line_a_leg(run, provider, tmp_path):
    run("fetch", "QQQ", "fred:NOPE", "--log-file", "log.jsonl")
    found = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {(line["event"], line["leg"], line["outcome"]) for line in found} == {
        ("fetch", "QQQ", "fetched"),
        ("fetch", "fred:NOPE", "failed"),
    }


def test_many_legs_with_some_that_fail_are_all_accounted_for(run, provider, tmp_path):
    names = [f"cboe:{'NOPE' if n % 20 == 0 else 'X'}{n}" for n in range(60)]
    (tmp_path / "legs.txt").write_text("\n".join(names))
    code, out, err = run("fetch", "--file", "legs.txt")
    assert code == 3
    assert [row["leg"] for row in rows(out)] == names
    assert sum(row["state"] == "failed" for row in rows(out)) == err.count("error: ") == 3
    assert len(held(tmp_path)) == 57


# ---------------------------------------------------------------- somebody looks on


def test_progress_is_shown_on_a_terminal_and_taken_away(run, provider, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, _, err = run("fetch", "QQQ", "IWM", "fred:NOPE")
    shown = [line.strip() for line in err.split("\n")[0].split("\r")]
    assert shown[1].endswith("0 of 3")
    assert any("1 failed" in line for line in shown)
    assert shown[-2] == ""  # taken away, before the error is said
    assert shown[-1].startswith("error: ")


@pytest.mark.parametrize("args", [("QQQ", "IWM", "-q"), ("QQQ",)], ids=" ".join)
def test_no_progress_is_shown_to_who_wants_quiet_or_of_one_leg(run, provider, monkeypatch, args):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run("fetch", *args)[2] == ""


def test_an_interrupted_run_keeps_and_reports_what_it_has(run, provider, monkeypatch, tmp_path):
    from pairwatch import fetching

    def broken(desk, legs):
        yield next(fetched(desk, legs[:1]))
        raise KeyboardInterrupt

    fetched = fetching.fetch
    monkeypatch.setattr(fetching, "fetch", broken)
    code, out, err = run("fetch", "QQQ", "IWM", "SPY")
    assert code == 130
    assert states(out) == {"QQQ": "fetched"}
    assert err == "note: 2 legs left out; what was fetched is kept\ninterrupted\n"
    assert held(tmp_path) == {"QQQ"}
