import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests import fake_source
from tests.cli.running import program, two_lines
from tests.schedule.programs import Machine

from pairwatch.cache import FILE_NAME
from pairwatch.cli import schedule
from pairwatch.model import Leg

PROGRAM = shlex.join([sys.executable, "-P", "-m", "pairwatch"])
SNAPSHOT = f"{PROGRAM} snapshot"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine in Berlin with cron, systemd for its users, and neither crontab nor units."""
    made = Machine(tmp_path / "machine")
    made.has("crontab", "systemctl")
    made.set("state", "running\n")
    monkeypatch.setenv("PATH", str(made.path))
    monkeypatch.delenv("TZ", raising=False)
    placed(monkeypatch, tmp_path, link="Europe/Berlin")
    return made


def placed(monkeypatch, folder, link=None, text=None, holds=None):
    """Where /etc/localtime leads, what /etc/timezone says, or what a localtime that is no link holds."""
    localtime, timezone = folder / "localtime", folder / "timezone"
    for file in (localtime, timezone):
        file.unlink(missing_ok=True)
    if link:
        localtime.symlink_to(f"/usr/share/zoneinfo/{link}")
    if text:
        timezone.write_text(f"{text}\n")
    if holds is not None:
        localtime.write_bytes(holds)
    monkeypatch.setattr(schedule, "LOCALTIME", localtime)
    monkeypatch.setattr(schedule, "TIMEZONE", timezone)


def watched(home, *pairs):
    file = home / "config" / "pairwatch" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f"watchlist = {[list(pair) for pair in pairs]}\n".replace("'", '"'))


def times(out):
    return [line for line in out.splitlines() if line.endswith(SNAPSHOT)]


def units(home):
    folder = home / "config" / "systemd" / "user"
    return {file.name: file.read_text() for file in folder.iterdir()} if folder.exists() else {}


# ---------------------------------------------------------------- what is printed


def test_without_a_watch_list_new_york_is_taken_and_that_is_said(run, machine):
    code, out, err = run("schedule", "--cron")
    assert code == 0
    assert times(out) == [f"40 21,22 * * 1-5 {SNAPSHOT}"]
    assert "note: the watch list is empty: pairwatch watchlist add A B" in err
    assert "America/New_York 16:00 is taken" in err


def test_the_closes_are_those_of_the_watch_list_in_the_cache(run, machine, home, tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    held = fake_source.holding(Leg("yahoo", "NESN.SW"))  # Zurich, 17:30
    fake_source.stored(tmp_path / "cache" / FILE_NAME, held)
    watched(home, ("NESN.SW", "QQQ"))
    code, out, err = run("schedule", "--cron")
    assert code == 0
    assert times(out) == [f"10 18 * * 1-5 {SNAPSHOT}"]
    assert "no closing time is known of QQQ" in err
    assert "New_York" not in out + err


def test_systemd_is_told_in_the_time_of_the_exchange(run, machine, home):
    code, out, _ = run("schedule", "--systemd", "--delay", "2h")
    assert code == 0
    assert "OnCalendar=Mon..Fri 18:00 America/New_York\n" in out
    assert f'ExecStart="{sys.executable}" "-P" "-m" "pairwatch" "snapshot"\n' in out
    assert f"# {home / 'config' / 'systemd' / 'user' / 'pairwatch.timer'}\n" in out


@pytest.mark.parametrize("state", ["running", "offline"])
def test_systemd_is_the_choice_where_it_runs(run, machine, state):
    machine.set("state", state)
    assert ("OnCalendar" in run("schedule")[1]) == (state == "running")


def test_what_is_printed_changes_nothing(run, machine, home):
    for kind in ("--cron", "--systemd"):
        assert run("schedule", kind)[0] == 0
    assert machine.crontab is None
    assert units(home) == {}
    assert machine.calls == []


def test_without_cron_and_systemd_there_are_still_lines_to_print(run, machine, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert times(run("schedule")[1]) == [f"40 21,22 * * 1-5 {SNAPSHOT}"]


def test_quiet_leaves_the_notes_out(run, machine):
    assert run("schedule", "--cron", "--quiet")[2] == ""


def test_the_command_is_whatever_it_was_told(run, machine):
    _, out, err = run("schedule", "--cron", "--command", "check 'a b' 50%")
    assert rf"{PROGRAM} check 'a b' 50\%" in out
    assert "may run twice a day" in err


def test_several_commands_run_one_after_another(run, machine):
    _, out, err = run("schedule", "--cron", "--command", "snapshot", "--command", "digest --send")
    assert out.splitlines()[-2].endswith(f"5 {PROGRAM} snapshot; {PROGRAM} digest --send")
    assert "twice" not in err


def test_what_looks_like_a_shell_in_quotes_is_text(run, machine):
    assert run("schedule", "--cron", "--command", r"""check 'z > 2' "a|\"b" c\;d""")[0] == 0


def test_a_shell_is_refused_with_what_to_type(run, machine):
    _, _, err = run("schedule", "--cron", "--command", "snapshot && digest --send")
    message, hint = two_lines(err)[:2]
    assert "'&&'" in message
    assert "repeat --command" in hint


@pytest.mark.parametrize("kind", ["--cron", "--systemd"])
def test_other_commands_are_replaced_only_where_that_is_asked_for(run, machine, home, kind):
    install = ("schedule", kind, "--install", "--quiet")
    assert run(*install)[0] == 0
    before = machine.crontab, units(home)
    code, _, err = run(*install, "--command", "check --all")
    message, hint = two_lines(err)
    assert code == 2
    assert "snapshot" in message
    assert "--replace" in hint
    assert (machine.crontab, units(home)) == before
    assert run(*install, "--delay", "2h")[0] == 0  # the same, later
    assert (machine.crontab, units(home)) != before
    assert run(*install, "--command", "check --all", "--replace")[0] == 0
    assert "check" in f"{machine.crontab}{units(home)}"


def test_a_run_twice_a_day_is_no_worry_where_the_clocks_are_the_same(run, machine, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    assert "twice" not in run("schedule", "--cron", "--command", "check")[2]


def test_the_program_is_the_one_on_the_path_links_and_all(run, machine, tmp_path):
    target = tmp_path / "version-1"
    target.write_text("#!/bin/sh\n")
    target.chmod(0o755)
    (machine.path / "pairwatch").symlink_to(target)
    assert f"{machine.path / 'pairwatch'} snapshot\n" in run("schedule", "--cron")[1]


def test_the_line_runs_from_anywhere(tmp_path):
    (tmp_path / "typer.py").write_text("raise SystemExit('not this one')")
    out = program("schedule", "--cron", "--command", "sources").stdout.decode()
    (line,) = [line for line in out.splitlines() if line.endswith("sources")]
    done = subprocess.run(["/bin/sh", "-c", line.split(maxsplit=5)[5]], cwd=tmp_path, capture_output=True, check=True)
    assert b"yahoo" in done.stdout


def test_what_only_this_shell_knows_is_said(run, machine, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_WINDOW", "1y")
    assert "a scheduled run does not see PAIRWATCH_WINDOW, XDG_CACHE_HOME" in run("schedule")[2]


def test_a_shell_that_knows_nothing_more_is_not_spoken_of(run, machine, monkeypatch):
    for name in schedule.SHELL_ONLY:
        monkeypatch.delenv(name)
    assert "does not see" not in run("schedule")[2]


# ---------------------------------------------------------------- what is refused


WRONG = {
    "both kinds": ("--cron", "--systemd"),
    "in and out": ("--install", "--remove"),
    "nothing to replace": ("--replace", "--remove"),
    "too soon": ("--delay", "29m"),
    "too late": ("--delay", "13h"),
    "no delay": ("--delay", "soon"),
    "open quotes": ("--command", "snapshot 'QQQ"),
    "no command": ("--command", " "),
    "the program itself": ("--command", "pairwatch snapshot"),
    "a command there is not": ("--command", "snapshots"),
    "two commands in one": ("--command", "snapshot; digest --send"),
    "a pipe": ("--command", "digest|mail"),
    "one that is not there among others": ("--command", "snapshot", "--command", "ls"),
    "a line end": ("--command", "snapshot 'a\nb'"),
}


@pytest.mark.parametrize("kind", ["--cron", "--systemd"])
@pytest.mark.parametrize("args", WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_two_lines_and_installs_nothing(run, machine, home, args, kind):
    kinds = () if "--cron" in args else (kind,)
    install = () if {"--install", "--remove"} & set(args) else ("--install",)
    code, out, err = run("schedule", "--quiet", *kinds, *install, *args)
    assert (code, out) == (2, "")
    two_lines(err)
    assert machine.crontab is None
    assert units(home) == {}


# ---------------------------------------------------------------- put in and taken out


def test_cron_lines_are_shown_installed_and_removed(run, machine):
    machine.crontab = b"MAILTO=me\n"
    code, out, err = run("schedule", "--cron", "--install")
    assert code == 0
    assert machine.crontab == b"MAILTO=me\n" + out.encode()
    assert "installed in your crontab" in err
    assert run("schedule", "--cron", "--remove") == (0, "", "removed the crontab's lines\n")
    assert machine.crontab == b"MAILTO=me\n"


def test_units_are_shown_installed_and_removed(run, machine, home):
    code, out, err = run("schedule", "--systemd", "--install")
    assert code == 0
    assert sorted(units(home)) == ["pairwatch.service", "pairwatch.timer"]
    assert all(text in out for text in units(home).values())
    assert "systemctl --user enable --now pairwatch.timer" in machine.calls
    assert "loginctl enable-linger" in err
    assert run("schedule", "--systemd", "--remove") == (0, "", "removed the systemd timer\n")
    assert units(home) == {}


def test_a_removal_of_no_kind_takes_both_out(run, machine, home):
    for kind in ("--cron", "--systemd"):
        run("schedule", kind, "--install")
    assert run("schedule", "--remove") == (0, "", "removed the systemd timer and the crontab's lines\n")
    assert machine.crontab is None
    assert units(home) == {}


@pytest.mark.parametrize("missing", [(), ("crontab",), ("systemctl",), ("crontab", "systemctl")])
def test_nothing_to_remove_is_no_error(run, machine, missing):
    for name in missing:
        (machine.path / name).unlink()
    assert run("schedule", "--remove") == (0, "", "nothing was installed\n")


@pytest.mark.parametrize(("kind", "program"), [("--cron", "crontab"), ("--systemd", "systemctl")])
def test_a_program_that_is_missing_is_two_lines_after_what_was_shown(run, machine, home, kind, program):
    (machine.path / program).unlink()
    code, out, err = run("schedule", kind, "--install", "--quiet")
    assert code == 2
    assert "snapshot" in out
    assert program in two_lines(err)[0]
    assert units(home) == {}


def test_units_go_into_the_home_where_no_folder_is_named(run, machine, home, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    run("schedule", "--systemd", "--install")
    assert (home / ".config" / "systemd" / "user" / "pairwatch.timer").exists()


# ---------------------------------------------------------------- where the machine is


def hour(out):
    """The hours of the New York close in the machine's time."""
    return times(out)[0].split()[1]


@pytest.mark.parametrize("text", ["Asia/Tokyo", ":Asia/Tokyo", "/usr/share/zoneinfo/Asia/Tokyo"])
def test_the_variable_says_where_and_a_machine_elsewhere_is_said(run, machine, monkeypatch, text):
    monkeypatch.setenv("TZ", text)
    _, out, err = run("schedule", "--cron")
    assert hour(out) == "5,6"
    assert "TZ says Asia/Tokyo, and this machine is in Europe/Berlin" in err


def test_a_variable_that_agrees_is_not_spoken_of(run, machine, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert "TZ" not in run("schedule", "--cron")[2]


@pytest.mark.parametrize("text", ["CET-1CEST,M3.5.0,M10.5.0/3", "../../etc/passwd", "Europe", "Nowhere/At_All"])
def test_a_variable_that_names_no_place_gives_way_to_the_machine(run, machine, monkeypatch, text):
    monkeypatch.setenv("TZ", text)
    _, out, err = run("schedule", "--cron")
    assert hour(out) == "21,22"
    assert f"TZ={text} names no place: Europe/Berlin is taken" in err


def test_a_localtime_that_is_no_link_has_its_name_beside_it(run, machine, monkeypatch, tmp_path):
    placed(monkeypatch, tmp_path, text="Asia/Tokyo", holds=b"")
    _, out, _ = run("schedule", "--cron")
    assert "in the local time of Asia/Tokyo" in out


def test_a_localtime_without_a_name_is_read(run, machine, monkeypatch, tmp_path):
    tzdata = pytest.importorskip("tzdata")
    tokyo = Path(tzdata.__file__).parent / "zoneinfo" / "Asia" / "Tokyo"
    placed(monkeypatch, tmp_path, holds=tokyo.read_bytes())
    assert hour(run("schedule", "--cron")[1]) == "5,6"


@pytest.mark.parametrize("holds", [None, b"", b"no time zone"])
def test_a_machine_that_does_not_know_where_it_is_goes_by_utc_and_says_so(run, machine, monkeypatch, tmp_path, holds):
    placed(monkeypatch, tmp_path, holds=holds)
    _, out, err = run("schedule", "--cron")
    assert hour(out) == "20,21"
    assert "time zone is not known: UTC is taken" in err
