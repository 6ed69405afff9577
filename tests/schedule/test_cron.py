import shlex
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.schedule.programs import Machine

from pairwatch import schedule
from pairwatch.errors import UsageError
from pairwatch.schedule import Close, Plan

TODAY = date(2026, 11, 22)
DELAY = timedelta(minutes=40)
COMMAND = ("/usr/bin/pairwatch", "snapshot")
CHECK = ("/usr/bin/pairwatch", "check", "--all")
NEW_YORK = Close("America/New_York", 960)
BITCOIN = Close("UTC", 1440, tuple(range(7)))
ZONES = """
    America/New_York America/Santiago America/Sao_Paulo America/St_Johns Pacific/Honolulu Pacific/Chatham
    Pacific/Kiritimati Europe/London Europe/Berlin Africa/Casablanca Africa/Cairo Asia/Jerusalem Asia/Kolkata
    Asia/Kathmandu Asia/Tokyo Australia/Sydney Australia/Lord_Howe UTC
""".split()  # noqa: SIM905 - easier to read


def lines(local, *closes, delay=DELAY, today=TODAY, commands=(COMMAND,)):
    return schedule.cron_lines(closes, ZoneInfo(local), delay, today, commands)


def times(local, *closes, **more):
    """The five fields of each line."""
    return [" ".join(line.split()[:5]) for line in lines(local, *closes, **more)]


def matched(field, lowest, highest):
    """The numbers that a field of a crontab(5) stands for."""
    found = set()
    for part in field.split(","):
        first, _, last = (f"{lowest}-{highest}" if part == "*" else part).partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    assert found <= set(range(lowest, highest + 1))
    return found


def firings(found):
    """Every (weekday, hour, minute) at which cron runs these lines; Sunday is 0."""
    fired = []
    for line in found:
        minute, hour, day, month, weekday = line.split()[:5]
        assert (day, month) == ("*", "*")
        fired += [
            (w, h, m) for w in matched(weekday, 0, 6) for h in matched(hour, 0, 23) for m in matched(minute, 0, 59)
        ]
    return fired


# ---------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("local", "close", "wanted"),
    [
        ("America/New_York", NEW_YORK, ["40 16 * * 1-5"]),
        ("America/Chicago", NEW_YORK, ["40 15 * * 1-5"]),
        ("UTC", NEW_YORK, ["40 20,21 * * 1-5"]),
        ("Europe/Berlin", NEW_YORK, ["40 21,22 * * 1-5"]),
        ("Asia/Tokyo", NEW_YORK, ["40 5,6 * * 2-6"]),
        ("Australia/Sydney", NEW_YORK, ["40 6-8 * * 2-6"]),
        ("Australia/Lord_Howe", NEW_YORK, ["10 7 * * 2-6", "40 7,8 * * 2-6"]),
        ("Asia/Kolkata", NEW_YORK, ["10 2,3 * * 2-6"]),
        # Where the change of the clocks takes the close across midnight.
        ("Europe/Moscow", NEW_YORK, ["40 0 * * 2-6", "40 23 * * 1-5"]),
        ("America/New_York", Close("Asia/Tokyo", 930), ["10 2,3 * * 1-5"]),
        ("America/Los_Angeles", Close("Asia/Tokyo", 930), ["10 0 * * 1-5", "10 23 * * 0-4"]),
        ("UTC", BITCOIN, ["40 0 * * *"]),
        ("America/New_York", BITCOIN, ["40 19,20 * * *"]),
        ("Asia/Riyadh", Close("Asia/Riyadh", 900, (0, 1, 2, 3, 6)), ["40 15 * * 0-4"]),
        ("Asia/Riyadh", Close("Asia/Riyadh", 900, (0, 2, 5)), ["40 15 * * 1,3,6"]),
    ],
)
def test_a_close_is_every_local_time_at_which_it_falls(local, close, wanted):
    assert times(local, close) == wanted


def test_several_closes_share_the_lines_they_can():
    assert times("UTC", NEW_YORK, Close("Europe/London", 960), BITCOIN) == ["40 0 * * *", "40 15,16,20,21 * * 1-5"]


def test_a_close_alone_makes_the_same_times_whatever_the_day():
    found = {tuple(times("Europe/Berlin", NEW_YORK, today=TODAY + timedelta(days))) for days in range(0, 800, 9)}
    assert len(found) == 1


@settings(max_examples=40)
@given(
    exchange=st.sampled_from(ZONES),
    local=st.sampled_from(ZONES),
    minutes=st.integers(0, 1440),
    delay=st.integers(30, 720).map(lambda count: timedelta(minutes=count)),
    today=st.dates(date(2024, 1, 1), date(2034, 1, 1)),
    weekdays=st.sampled_from([(0, 1, 2, 3, 4), (0, 1, 2, 3, 6), tuple(range(7)), (5,)]),
)
@example("America/New_York", "Europe/Berlin", 960, DELAY, date(2026, 3, 8), (0, 1, 2, 3, 4))
@example("Europe/London", "Europe/London", 60, timedelta(minutes=45), date(2026, 10, 25), tuple(range(7)))
def test_every_close_of_two_years_is_hit_and_nothing_else_is(exchange, local, minutes, delay, today, weekdays):
    found = lines(local, Close(exchange, minutes, weekdays), delay=delay, today=today)
    fired = firings(found)
    assert len(fired) == len(set(fired))
    wanted = set()
    for days in range(730):
        day = datetime.combine(today + timedelta(days), datetime.min.time())
        if day.weekday() in weekdays:
            close = (day + timedelta(minutes=minutes)).replace(tzinfo=ZoneInfo(exchange)).timestamp()
            here = datetime.fromtimestamp(close + delay.total_seconds(), ZoneInfo(local))
            wanted.add((here.isoweekday() % 7, here.hour, here.minute))
    assert wanted <= set(fired)
    # Both clocks change twice a year, by an hour or half of one; Ramadan makes Casablanca's changes wander.
    assert len(fired) <= 4 * len(weekdays) + (8 if minutes + delay.total_seconds() / 60 < 1800 else 24)


@settings(max_examples=40)
@given(local=st.sampled_from(ZONES), day=st.integers(0, 729))
def test_a_real_evening_in_new_york_is_hit(local, day):
    noon = datetime.combine(TODAY + timedelta(day), datetime.min.time(), UTC) + timedelta(hours=17)
    there = noon.astimezone(ZoneInfo("America/New_York")).replace(hour=16, minute=40)
    assume(there.weekday() < 5)
    here = there.astimezone(ZoneInfo(local))
    assert (here.isoweekday() % 7, here.hour, here.minute) in firings(lines(local, NEW_YORK))


# ---------------------------------------------------------------- what


@pytest.mark.parametrize(
    "command", [COMMAND, ("/a b/pair'watch", "50%", "%%", "$HOME", "`x`", 'say "x"', "\\", "", "Ü")]
)
def test_the_shell_that_cron_starts_sees_the_command_as_it_was(command):
    (line,) = lines("UTC", BITCOIN, commands=(command,))
    handed = line.split(maxsplit=5)[5]
    assert "%" not in handed.replace(r"\%", "")
    assert tuple(shlex.split(handed.replace(r"\%", "%"))) == command


@pytest.mark.parametrize("word", ["a\nb", "a\rb", "a\0b", "\udcff"])
def test_a_command_that_no_line_can_hold_is_refused(word):
    with pytest.raises(UsageError, match="cannot be scheduled"):
        lines("UTC", BITCOIN, commands=(COMMAND, ("/usr/bin/pairwatch", word)))


def test_several_commands_run_one_after_another_on_one_line():
    (line,) = lines("UTC", BITCOIN, commands=(COMMAND, (*CHECK, "a;b")))
    assert line == "40 0 * * * /usr/bin/pairwatch snapshot; /usr/bin/pairwatch check --all 'a;b'"


def block(*closes, local="Europe/Berlin", commands=(COMMAND,)):
    return schedule.cron_block(Plan(closes or (NEW_YORK,), ()), ZoneInfo(local), DELAY, TODAY, commands)


def test_a_block_says_what_it_is_between_its_markers():
    assert block() == (
        "# pairwatch: begin\n"
        "# 40 minutes after the close (America/New_York 16:00)\n"
        "# in the local time of Europe/Berlin, summer times of both sides included;\n"
        "# where that makes a run too many, a session's snapshot is still taken once.\n"
        "40 21,22 * * 1-5 /usr/bin/pairwatch snapshot\n"
        "# pairwatch: end\n"
    )


# ---------------------------------------------------------------- the user's crontab


LINE = b"0 0 * * * true"
CRONTABS = {
    "empty": b"",
    "one line": LINE + b"\n",
    "CRLF": b"# mine\r\n" + LINE + b"\r\n",
    "blank lines at the end": LINE + b"\n\n\n",
    "no text at all": b"# m\xfcsli \xff\x0c\x0b\x85\xe2\x80\xa8\n",
    "a marker's beginning": b"# pairwatch: beginning\n## pairwatch: end\n",
    "settings": b'MAILTO=me\nPATH="/bin"\n# CRON_TZ=UTC\n' + LINE + b"\n",
}


@pytest.mark.parametrize("crontab", CRONTABS.values(), ids=CRONTABS)
def test_a_block_put_in_and_taken_out_leaves_every_byte(crontab):
    installed = schedule.with_block(crontab, block())
    assert installed == crontab + block().encode()
    assert schedule.without_block(installed) == crontab


@given(st.binary(max_size=60))
def test_any_crontab_is_kept_but_for_a_missing_last_line_end(crontab):
    assume(b"CRON_TZ" not in crontab)
    whole = crontab if crontab.endswith(b"\n") or not crontab else crontab + b"\n"
    assert schedule.without_block(schedule.with_block(crontab, block())) == whole


def test_a_new_block_takes_the_place_of_the_old_one():
    before, after = b"# above\r\n", b"# below, without an end"
    old = before + block(BITCOIN).encode() + after
    assert schedule.with_block(old, block()) == before + block().encode() + after
    assert schedule.without_block(old) == before + after


def test_a_block_saved_with_other_line_ends_is_still_ours():
    old = LINE + b"\r\n" + block().replace("\n", "\r\n").encode()
    assert schedule.without_block(old) == LINE + b"\r\n"


B, E = b"# pairwatch: begin\n", b"# pairwatch: end\n"


@pytest.mark.parametrize("damaged", [B, E, E + B, B + B + E, B + E + E, B + E + B + E, B + LINE, LINE + b"\n" + E])
@pytest.mark.parametrize("change", [schedule.without_block, lambda crontab: schedule.with_block(crontab, block())])
def test_damaged_markers_are_refused(damaged, change):
    with pytest.raises(UsageError, match="do not pair up"):
        change(damaged)


@pytest.mark.parametrize("setting", [b"CRON_TZ=Asia/Tokyo\n", b" CRON_TZ = UTC\n"])
def test_a_crontab_in_another_time_zone_is_refused(setting):
    with pytest.raises(UsageError, match="CRON_TZ"):
        schedule.with_block(setting + LINE + b"\n", block())


def test_a_time_zone_set_below_the_block_moves_nothing():
    below = b"CRON_TZ=Asia/Tokyo\n"
    assert schedule.with_block(block().encode() + below, block()) == block().encode() + below


# ---------------------------------------------------------------- the program `crontab`


@pytest.fixture
def machine(tmp_path, monkeypatch):
    made = Machine(tmp_path)
    made.has("crontab")
    monkeypatch.setenv("PATH", str(made.path))
    return made


def test_the_first_crontab_holds_the_block_alone_and_goes_with_it(machine):
    schedule.install_cron(block(), schedule.run)
    assert machine.crontab == block().encode()
    assert schedule.remove_cron(schedule.run)
    assert machine.crontab is None


@pytest.mark.parametrize("crontab", CRONTABS.values(), ids=CRONTABS)
def test_an_installed_block_is_taken_out_without_a_trace(machine, crontab):
    machine.crontab = crontab
    schedule.install_cron(block(BITCOIN), schedule.run)
    schedule.install_cron(block(), schedule.run)
    assert machine.crontab == crontab + block().encode()
    assert schedule.remove_cron(schedule.run)
    assert (machine.crontab or b"") == crontab


def test_other_commands_are_not_replaced_unasked(machine):
    old = block(local="Europe/Moscow", commands=(COMMAND, CHECK))  # two lines
    schedule.install_cron(old, schedule.run)
    with pytest.raises(UsageError, match=r"installed: /usr/bin/pairwatch snapshot; /usr/bin/pairwatch check --all$"):
        schedule.install_cron(block(), schedule.run)
    assert machine.crontab == old.encode()
    schedule.install_cron(block(), schedule.run, replace=True)
    assert machine.crontab == block().encode()


def test_a_command_that_was_edited_by_hand_is_not_replaced_unasked(machine):
    machine.crontab = block().replace("snapshot\n", "snapshot --offline\n").encode()
    with pytest.raises(UsageError, match="snapshot --offline"):
        schedule.install_cron(block(), schedule.run)


def test_nothing_is_written_that_is_there_already(machine):
    machine.crontab = LINE + b"\n" + block().encode()
    schedule.install_cron(block(), schedule.run)
    assert machine.calls == ["crontab -l"]


def test_a_crontab_without_a_block_is_not_touched_by_its_removal(machine):
    machine.crontab = LINE + b"\n"
    assert not schedule.remove_cron(schedule.run)
    assert machine.calls == ["crontab -l"]


def test_a_refusal_of_cron_is_told_and_changes_nothing(machine):
    machine.crontab = LINE + b"\n"
    machine.set("refuse")
    with pytest.raises(UsageError, match="bad minute"):
        schedule.install_cron(block(), schedule.run)
    assert machine.crontab == LINE + b"\n"


def test_a_damaged_crontab_is_not_written(machine):
    machine.crontab = B + LINE + b"\n"
    with pytest.raises(UsageError, match="do not pair up"):
        schedule.remove_cron(schedule.run)
    assert machine.calls == ["crontab -l"]


def test_carriage_returns_that_cannot_be_read_back_are_refused(machine):
    machine.crontab = LINE + b"\r\n"
    machine.set("debian")
    with pytest.raises(UsageError, match="cannot be read back"):
        schedule.install_cron(block(), schedule.run)
    assert machine.crontab == LINE + b"\r\n"


def test_a_machine_without_cron_is_told_what_to_do(machine):
    (machine.path / "crontab").unlink()
    with pytest.raises(UsageError, match="no crontab on this machine") as caught:
        schedule.install_cron(block(), schedule.run)
    assert "--systemd" in caught.value.hint


def test_a_crontab_that_may_not_be_run_is_told(machine):
    (machine.path / "crontab").chmod(0)
    (machine.path / "crontab").write_text("no program")
    with pytest.raises(UsageError, match=r"`crontab -l` failed \(.+\)"):
        schedule.install_cron(block(), schedule.run)


def test_an_unreadable_crontab_is_not_taken_for_none():
    def refused(command, given):
        return schedule.Ran(1, err=b"you (me) are not allowed to use this program (crontab)")

    with pytest.raises(UsageError, match="not allowed"):
        schedule.install_cron(block(), refused)


def test_busybox_says_in_other_words_that_there_is_no_crontab():
    calls = []

    def busybox(command, given):
        calls.append((*command, given))
        return (
            schedule.Ran(1, err=b"crontab: can't open 'me': No such file or directory")
            if given == b""
            else schedule.Ran(0)
        )

    schedule.install_cron(block(), busybox)
    assert calls[-1] == ("crontab", "-", block().encode())
