import os
import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.schedule.programs import Machine

from pairwatch import schedule
from pairwatch.errors import UsageError
from pairwatch.schedule import Close, Plan

DELAY = timedelta(minutes=40)
NEW_YORK = Close("America/New_York", 960)
BITCOIN = Close("UTC", 1440, tuple(range(7)))
SAUDI = Close("Asia/Riyadh", 900, (0, 1, 2, 3, 6))
TIMER, SERVICE = "pairwatch.timer", "pairwatch.service"
ODD = ("snapshot", "50%", "$HOME", 'say "x"', "it's", "back\\slash", "Ü", "")
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed")


def units(*command, closes=(NEW_YORK,)):
    return schedule.units(Plan(closes, ()), DELAY, [command or ("/usr/bin/pairwatch", "snapshot")])


# ---------------------------------------------------------------- when


CALENDARS = [
    (NEW_YORK, DELAY, "Mon..Fri 16:40 America/New_York"),
    (NEW_YORK, timedelta(hours=8), "Tue..Sat 00:00 America/New_York"),
    (NEW_YORK, timedelta(hours=12), "Tue..Sat 04:00 America/New_York"),
    (BITCOIN, DELAY, "*-*-* 00:40 UTC"),
    (Close("Europe/London", 1440), DELAY, "Tue..Sat 00:40 Europe/London"),
    (SAUDI, DELAY, "Mon..Thu,Sun 15:40 Asia/Riyadh"),
    (SAUDI, timedelta(hours=9), "Mon..Fri 00:00 Asia/Riyadh"),
    (Close("UTC", 5, (0, 2, 5)), DELAY, "Mon,Wed,Sat 00:45 UTC"),
]


@pytest.mark.parametrize(("close", "delay", "wanted"), CALENDARS)
def test_a_calendar_is_in_the_time_of_the_exchange(close, delay, wanted):
    assert schedule.calendar(close, delay) == wanted


@needs_systemd
@pytest.mark.parametrize(("close", "delay", "wanted"), CALENDARS)
def test_systemd_understands_it_as_we_do(close, delay, wanted):
    begin = date(2027, 3, 1)  # the clocks change in New York on the 14th, in London on the 28th
    command = [ANALYZE, "calendar", "--base-time=2027-03-01 12:00 UTC", "--iterations=45", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"})
    told = [line.split(": ", 1)[1][4:23] for line in done.stdout.splitlines() if "Next" in line or "Iter." in line]
    noon = datetime(2027, 3, 1, 12, tzinfo=UTC)
    ours = [instant for instant in schedule.due(close, delay, begin) if instant > noon][:45]
    assert told == [f"{instant:%Y-%m-%d %H:%M:%S}" for instant in ours]


# ---------------------------------------------------------------- what


def test_the_timer_has_a_line_for_each_close_and_makes_up_for_sleep():
    timer = units(closes=(NEW_YORK, BITCOIN))[TIMER].splitlines()
    assert [line for line in timer if line.startswith("OnCalendar")] == [
        "OnCalendar=Mon..Fri 16:40 America/New_York",
        "OnCalendar=*-*-* 00:40 UTC",
    ]
    assert {"Persistent=true", "RandomizedDelaySec=60", "WantedBy=timers.target"} <= set(timer)


def test_the_service_runs_the_program_once():
    service = units()[SERVICE].splitlines()
    assert "Type=oneshot" in service
    assert 'ExecStart="/usr/bin/pairwatch" "snapshot"' in service


def test_what_systemd_would_replace_is_doubled():
    (line,) = [line for line in units("/a $b/50%", *ODD)[SERVICE].splitlines() if "ExecStart" in line]
    assert line == ('ExecStart="/a $b/50%%" "snapshot" "50%%" "$$HOME" "say \\"x\\"" "it\'s" "back\\\\slash" "Ü" ""')


def executed(service):
    """What systemd would run: its quoting undone."""
    (line,) = [line for line in service.splitlines() if line.startswith("ExecStart=")]
    words = re.findall(r'"((?:\\.|[^"\\])*)"', line)
    return [re.sub(r"\\(.)", r"\1", word).replace("%%", "%").replace("$$", "$") for word in words]


@pytest.mark.parametrize(
    ("codes", "code"), [((0, 0), 0), ((3, 0), 3), ((0, 3), 3), ((3, 5), 3), ((5, 0), 0), ((3, 7), 7), ((3, 0, 5), 3)]
)
def test_of_several_commands_all_run_in_order_and_a_failure_is_the_units(tmp_path, codes, code):
    program = tmp_path / "a $b 50%"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/ran\nexit "$1"\n')
    program.chmod(0o755)
    commands = [(str(program), str(each), *ODD) for each in codes]
    service = schedule.units(Plan((NEW_YORK,), ()), DELAY, commands)[SERVICE]
    assert subprocess.run(executed(service), check=False).returncode == code
    assert (tmp_path / "ran").read_text().splitlines() == [" ".join(words[1:]) for words in commands]


def test_a_command_with_a_line_end_is_refused():
    with pytest.raises(UsageError, match="cannot be scheduled"):
        units("/usr/bin/pairwatch", "a\nExecStartPost=x")


@needs_systemd
@pytest.mark.parametrize("count", [1, 2])
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path, count):
    program = tmp_path / "a $b 50%" / "pairwatch"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    commands = [(str(program), *ODD)] * count
    for name, text in schedule.units(Plan((NEW_YORK, BITCOIN, SAUDI), ()), DELAY, commands).items():
        (tmp_path / name).write_text(text)
    command = [ANALYZE, "--user", "verify", str(tmp_path / TIMER), str(tmp_path / SERVICE)]
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ---------------------------------------------------------------- the user's systemd


@pytest.fixture
def machine(tmp_path, monkeypatch):
    made = Machine(tmp_path / "machine")
    made.has("systemctl")
    monkeypatch.setenv("PATH", str(made.path))
    return made


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "config" / "systemd" / "user"


def contents(folder):
    return {file.name: file.read_text() for file in folder.iterdir()} if folder.exists() else {}


STARTED = ["systemctl --user daemon-reload", "systemctl --user enable --now pairwatch.timer"]


def test_the_units_are_written_then_the_timer_is_started(machine, folder):
    schedule.install_units(folder, units(), schedule.run)
    assert contents(folder) == units()
    assert machine.calls == STARTED


def test_new_units_take_the_place_of_the_old(machine, folder):
    schedule.install_units(folder, units(), schedule.run)
    schedule.install_units(folder, units(closes=(BITCOIN,)), schedule.run)
    assert contents(folder) == units(closes=(BITCOIN,))


def test_other_commands_are_not_replaced_unasked(machine, folder):
    schedule.install_units(folder, units("/usr/bin/pairwatch", "check", "--all"), schedule.run)
    with pytest.raises(UsageError, match=r'installed: "/usr/bin/pairwatch" "check" "--all"$') as caught:
        schedule.install_units(folder, units(), schedule.run)
    assert "--replace" in caught.value.hint
    assert contents(folder) == units("/usr/bin/pairwatch", "check", "--all")
    schedule.install_units(folder, units(), schedule.run, replace=True)
    assert contents(folder) == units()


def test_a_removal_stops_the_timer_then_deletes_the_units(machine, folder):
    schedule.install_units(folder, units(), schedule.run)
    (folder / "other.timer").write_text("not ours")
    assert schedule.remove_units(folder, schedule.run)
    assert contents(folder) == {"other.timer": "not ours"}
    assert machine.calls[2:] == ["systemctl --user disable --now pairwatch.timer", "systemctl --user daemon-reload"]


def test_without_units_there_is_nothing_to_remove(machine, folder):
    assert not schedule.remove_units(folder, schedule.run)
    assert machine.calls == []


@pytest.mark.parametrize("step", ["daemon-reload", "enable"])
def test_a_refusal_at_first_leaves_no_unit(machine, folder, step):
    machine.set(f"refuse-{step}")
    with pytest.raises(UsageError, match="No medium found") as caught:
        schedule.install_units(folder, units(), schedule.run)
    assert "--cron" in caught.value.hint
    assert contents(folder) == {}
    assert "systemctl --user disable --now pairwatch.timer" in machine.calls


@pytest.mark.parametrize("step", ["daemon-reload", "enable"])
def test_a_refusal_later_leaves_the_old_units(machine, folder, step):
    schedule.install_units(folder, units(), schedule.run)
    machine.set(f"refuse-{step}")
    with pytest.raises(UsageError):
        schedule.install_units(folder, units(closes=(BITCOIN,)), schedule.run)
    assert contents(folder) == units()
    assert not any("disable" in call for call in machine.calls)


def test_a_timer_that_cannot_be_stopped_keeps_its_files(machine, folder):
    schedule.install_units(folder, units(), schedule.run)
    machine.set("refuse-disable")
    with pytest.raises(UsageError):
        schedule.remove_units(folder, schedule.run)
    assert contents(folder) == units()


@pytest.mark.parametrize("name", [TIMER, SERVICE])
def test_units_of_somebody_else_are_neither_replaced_nor_removed(machine, folder, name):
    folder.mkdir(parents=True)
    (folder / name).write_text("[Unit]\n")
    with pytest.raises(UsageError, match="was not written by pairwatch"):
        schedule.install_units(folder, units(), schedule.run)
    assert not schedule.remove_units(folder, schedule.run)
    assert contents(folder) == {name: "[Unit]\n"}
    assert machine.calls == []


def test_a_folder_that_cannot_be_made_is_told(machine, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be read or written"):
        schedule.install_units(tmp_path / "file" / "user", units(), schedule.run)


def test_a_unit_that_is_a_folder_is_told(machine, folder):
    (folder / TIMER).mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read or written"):
        schedule.install_units(folder, units(), schedule.run)


@pytest.mark.parametrize("name", [TIMER, SERVICE])
def test_a_unit_that_cannot_be_written_leaves_none(machine, folder, name):
    in_the_way = folder / f".{name}.new" / "folder"
    in_the_way.mkdir(parents=True)
    with pytest.raises(UsageError, match=f"{name} cannot be read or written"):
        schedule.install_units(folder, units(), schedule.run)
    in_the_way.rmdir()
    in_the_way.parent.rmdir()
    assert contents(folder) == {}


def test_a_machine_without_systemd_is_told_what_to_do(machine, folder):
    (machine.path / "systemctl").unlink()
    with pytest.raises(UsageError, match="no systemctl on this machine") as caught:
        schedule.install_units(folder, units(), schedule.run)
    assert "--cron" in caught.value.hint
    assert contents(folder) == {}


def test_a_silent_failure_is_told_by_its_exit_code(folder):
    with pytest.raises(UsageError, match="exit code 4"):
        schedule.install_units(folder, units(), lambda command, given: schedule.Ran(4))


# ---------------------------------------------------------------- which of the two


@pytest.mark.parametrize(
    ("state", "kind"),
    [("running", "systemd"), ("degraded", "systemd"), ("starting", "systemd"), ("offline", "cron"), ("", "cron")],
)
def test_systemd_is_chosen_where_it_runs_for_the_user(machine, state, kind):
    machine.set("state", f"{state}\n")
    assert schedule.usual_kind(schedule.run) == kind


def test_cron_is_chosen_where_there_is_no_systemd(machine):
    (machine.path / "systemctl").unlink()
    assert schedule.usual_kind(schedule.run) == "cron"


def test_a_program_that_hangs_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr("pairwatch.schedule.programs.PATIENCE", 0.05)
    assert schedule.run(("sleep", "5"), b"") == schedule.Ran(124, err=b"no answer within a minute")
