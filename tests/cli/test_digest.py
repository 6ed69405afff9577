"""The digest as a user has it: on the screen, in a file, and by mail through a true server on loopback."""

import asyncio
import os
import re
import subprocess
import sys
import threading
import time

import pytest
from tests import builders, evenings
from tests.cli.running import PROGRAM, program, two_lines
from tests.sending.mailroom import PASSWORD, Authority, Mailroom

from pairwatch.snapshots import FILE_NAME, Store
from pairwatch.snapshots.outbox import CLAIM, Outbox

ME, YOU = "me@example.com", "you@example.com"
FRIDAY = "2026-11-20"
ASK = ("digest", *evenings.SETTINGS)


@pytest.fixture(scope="module")
def evenings_of_two_pairs(tmp_path_factory):
    file = tmp_path_factory.mktemp("data") / FILE_NAME
    returns = {("AAA", "BBB"): evenings.linked(4, seed=1, d0=0.06), ("CCC", "DDD"): evenings.linked(4, seed=2)}
    evenings.with_evenings(Store(file), returns, 4)
    return file.read_bytes()


@pytest.fixture
def store(home, evenings_of_two_pairs):
    """The user's own store, with four evenings of two pairs."""
    folder = home / "data" / "pairwatch"
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_bytes(evenings_of_two_pairs)
    return Store(folder / FILE_NAME)


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def configured(home, authority, monkeypatch, tmp_path):
    """Write the configuration for a mailroom that this process, and those it starts, trust."""
    authority.trusted(tmp_path, monkeypatch)
    file = home / "config" / "pairwatch" / "config.toml"
    file.parent.mkdir(parents=True)

    def write(room, password=PASSWORD, mode=0o600, **more):
        keys = {"host": "localhost", "security": room.security, "user": "me", "password": password, **more}
        lines = [f'{key} = "{value}"' for key, value in {"from": "pairwatch <bot@example.com>", **keys}.items()]
        file.write_text("\n".join(["[mail]", f"port = {room.port}", *lines]) + "\n")
        file.chmod(mode)

    return write


@pytest.fixture
def room(authority):
    with Mailroom(tls=authority.context, security="tls", users={"me": PASSWORD}) as opened:
        yield opened


# ---------------------------------------------------------------- on the screen


def test_a_digest_fits_a_screen_and_names_the_most_unusual_first(run, store):
    code, out, err = run(*ASK)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"digest · {FRIDAY} · 2 pairs · 60b · since 2026-11-19"
    assert lines[1] == "1 of 2 pairs moved by 2 sigma or more"
    assert [line.split()[0] for line in lines[3:6]] == ["pair", "AAA/BBB", "CCC/DDD"]
    assert len(lines) <= 24


def test_the_watch_list_says_which_pairs(run, store):
    run("watchlist", "add", "CCC", "DDD")
    run("watchlist", "add", "XXX", "YYY")
    _, out, _ = run(*ASK)
    assert "AAA/BBB" not in out
    assert "CCC/DDD" in out
    assert "XXX/YYY: never snapped" in out


def test_since_takes_a_day_or_a_time(run, store):
    for since, day in (("2d", "2026-11-18"), ("2026-11-17", "2026-11-17"), ("1w", "2026-11-13")):
        assert f"since {day}" in run(*ASK, "--since", since)[1]


@pytest.mark.parametrize("since", ["soon", "", "5b", "2026-02-30", "2026-1-1", "last", "-1d"])
def test_since_takes_nothing_else(run, store, since):
    code, out, err = run(*ASK, f"--since={since}")
    assert (code, out) == (2, "")
    two_lines(err)


def test_without_snapshots_there_is_no_digest(run):
    code, out, err = run("digest")
    assert (code, out) == (4, "")
    assert "pairwatch snapshot" in two_lines(err)[1]
    run("watchlist", "add", "QQQ", "IWM")
    code, out, err = run("digest")
    assert (code, out) == (4, "")
    assert two_lines(err)[1] == "hint: pairwatch snapshot"


def test_a_damaged_store_is_refused(run, store):
    store.path.write_bytes(b"no database" * 1000)
    code, out, err = run(*ASK)
    assert (code, out) == (7, "")
    two_lines(err)


def test_the_format_is_typed_or_the_files_name_says_it(run, store, tmp_path):
    assert run(*ASK, "-f", "markdown")[1].startswith("## digest")
    assert run(*ASK, "--format", "html")[1].startswith("<!DOCTYPE html>")
    assert run(*ASK, "-o", "d.html")[:2] == (0, "")
    assert (tmp_path / "d.html").read_text().startswith("<!DOCTYPE html>")
    run(*ASK, "-o", "d.md")
    assert (tmp_path / "d.md").read_text().startswith("## digest")
    code, _, err = run(*ASK, "--format", "json")
    assert code == 2
    two_lines(err)


def test_a_digest_asks_no_source_and_writes_nothing(run, store):
    before = store.path.read_bytes()
    assert program(*ASK).returncode == 0
    assert store.path.read_bytes() == before


# ---------------------------------------------------------------- in the inbox


def attempts(store, to=ME):
    outbox = Outbox(store)
    with store.reading() as db:
        found = db.execute("SELECT id FROM messages WHERE recipient=? ORDER BY id", (to,)).fetchall()
    return [[line.outcome for line in outbox.attempts(number)] for (number,) in found]


def test_a_digest_is_mailed_once(run, store, configured, room):
    configured(room)
    assert run(*ASK, "--to", ME) == (0, "", "")
    (letter,) = room.letters
    assert re.fullmatch(r"pairwatch: AAA/BBB \d+\.\d sigma", letter["Subject"])
    assert (letter["To"], letter["From"]) == (ME, "pairwatch <bot@example.com>")
    assert letter.get_body(("plain",)).get_content().startswith("digest · ")
    assert letter.get_body(("html",)).get_content().startswith("<!DOCTYPE html>")
    assert run(*ASK, "--to", ME) == (0, "", "")
    assert len(room.envelopes) == 1
    assert attempts(store) == [["sending", "sent"]]


def test_a_wrong_password_exits_9_and_the_right_one_sends_it_later(run, store, configured, room):
    configured(room, password="wrong")  # noqa: S106 - nobody's
    code, out, err = run(*ASK, "--to", ME)
    assert (code, out, room.envelopes) == (9, "", [])
    assert "wrong" not in "".join(two_lines(err))
    configured(room)
    assert run(*ASK, "--to", ME) == (0, "", "")
    assert attempts(store) == [["sending", "failed", "sending", "sent"]]
    assert len(room.envelopes) == 1


def another_evening(store, day="2026-11-23"):
    """One session more of the first pair."""
    a, b = evenings.linked(4, seed=1, d0=0.06)
    end = builders.FRIDAY.fromisoformat(day)
    days = builders.weekdays(len(a) + 1, end)
    sides = [builders.history(builders.prices(own), days, symbol=s) for s, own in (("AAA", a), ("BBB", b))]
    store.append(evenings.taken(*sides, end))


def test_what_was_not_sent_goes_out_before_the_new_one(run, store, configured, room):
    room.answers["DATA"] = "451 later"
    configured(room)
    assert run(*ASK, "--to", ME)[0] == 9
    another_evening(store)
    del room.answers["DATA"]
    assert run(*ASK, "--to", ME)[0] == 0
    first, second = (letter.get_body(("plain",)).get_content().splitlines()[0] for letter in room.letters)
    assert (FRIDAY in first, "2026-11-23" in second) == (True, True)


def test_after_a_failure_only_the_new_one_is_tried(run, store, configured, room):
    configured(room, password="wrong")  # noqa: S106 - nobody's
    run(*ASK, "--to", ME)
    run(*ASK, "--since", "2d", "--to", ME)
    room.logins.clear()
    assert run(*ASK, "--since", "3d", "--to", ME)[0] == 9
    assert len(room.logins) == 2
    assert attempts(store) == [["sending", "failed"] * 3, ["sending", "failed"], ["sending", "failed"]]


def test_each_recipient_is_served_alone(run, store, configured, room):
    room.answers[f"RCPT {ME}"] = "550 unknown"
    configured(room)
    code, out, err = run(*ASK, "--to", f"{ME}, You <{YOU}>")
    assert (code, out) == (9, "")
    assert ME in two_lines(err)[0]
    assert [letter["To"] for letter in room.letters] == [f"You <{YOU}>"]
    del room.answers[f"RCPT {ME}"]
    assert run(*ASK, "--to", f"{ME}, {YOU}")[0] == 0
    assert [letter["To"] for letter in room.letters] == [f"You <{YOU}>", ME]


def test_send_takes_the_recipient_of_the_configuration(run, store, configured, room):
    configured(room)
    code, _, err = run(*ASK, "--send")
    assert code == 2
    assert "[mail]" in two_lines(err)[1]
    configured(room, to=YOU)
    assert run(*ASK, "--send")[0] == 0
    assert room.letters[0]["To"] == YOU


def test_a_password_that_others_may_read_is_not_used(run, store, configured, room):
    configured(room, mode=0o644)
    code, _, err = run(*ASK, "--to", ME)
    assert code == 2
    assert "chmod 600" in two_lines(err)[1]
    assert PASSWORD not in err
    assert room.logins == []


def test_the_variable_goes_before_the_file(run, store, configured, room, monkeypatch):
    configured(room, password="wrong", mode=0o644)  # noqa: S106 - nobody's
    monkeypatch.setenv("PAIRWATCH_MAIL_PASSWORD", PASSWORD)
    assert run(*ASK, "--to", ME)[0] == 0


def test_without_a_server_nothing_is_sent_and_the_next_run_tries_again(run, store, configured, room):
    code, out, err = run(*ASK, "--to", ME)
    assert (code, out) == (2, "")
    assert "[mail]" in two_lines(err)[1]
    configured(room)
    assert run(*ASK, "--to", ME)[0] == 0
    assert attempts(store) == [["sending", "failed", "sending", "sent"]]


@pytest.mark.parametrize("to", ["nobody", "a@b@c", ME + ", nobody"])
def test_what_is_no_address_is_refused_before_anything_is_written(run, store, to):
    before = store.path.read_bytes()
    code, out, err = run(*ASK, "--to", to)
    assert (code, out) == (2, "")
    two_lines(err)
    assert store.path.read_bytes() == before


def test_a_quiet_digest_is_sent_unless_only_news_are_wanted(run, store, configured, room):
    configured(room)
    run("watchlist", "add", "CCC", "DDD")
    configured_text = run(*ASK)[1]
    assert "nothing unusual" in configured_text
    assert run(*ASK, "--to", ME, "--only-news") == (0, "", "")
    assert room.envelopes == []
    assert run(*ASK, "--to", ME)[0] == 0
    assert room.letters[0]["Subject"] == "pairwatch: nothing unusual, 1 pair"


def test_last_is_the_newest_session_of_the_last_digest_that_arrived(run, store, configured, room):
    configured(room)
    run(*ASK, "--since", "last", "--to", ME)
    assert "since 2026-11-19" in room.letters[0].get_body(("plain",)).get_content()
    another_evening(store)
    room.answers["DATA"] = "451 later"
    assert run(*ASK, "--since", "last", "--to", ME)[0] == 9
    another_evening(store, "2026-11-24")
    del room.answers["DATA"]
    assert run(*ASK, "--since", "last", "--to", ME)[0] == 0
    heads = [letter.get_body(("plain",)).get_content().splitlines()[0] for letter in room.letters]
    assert [(FRIDAY in head, head[-10:]) for head in heads[1:]] == [(True, FRIDAY)] * 2
    run(*ASK, "--since", "last", "--to", YOU)
    assert room.letters[3].get_body(("plain",)).get_content().splitlines()[0].endswith("since 2026-11-23")


def test_last_with_nothing_new_since_is_not_sent_again(run, store, configured, room):
    configured(room)
    run("watchlist", "add", "CCC", "DDD")
    for _ in range(2):
        assert run(*ASK, "--since", "last", "--to", ME) == (0, "", "")
    assert len(room.envelopes) == 1
    assert run(*ASK, "--since", "last", "--to", YOU)[0] == 0
    assert len(room.envelopes) == 2


def test_a_pair_that_was_snapped_after_the_letter_is_in_the_next(run, store, configured, room):
    configured(room)
    sent = builders.FRIDAY
    run(*ASK, "--since", "last", "--to", ME)
    late = evenings.linked(4, seed=7, d0=0.09)
    for day in evenings.days(2):
        one = evenings.taken(*evenings.histories(("EEE", "FFF"), late, day), day)
        store.append(one if day < sent else one._replace(at=time.time() + 1))
    assert run(*ASK, "--since", "last", "--to", ME)[0] == 0
    assert re.match(r"pairwatch: EEE/FFF \d+\.\d sigma", room.letters[1]["Subject"])


def test_a_format_and_an_address_do_not_go_together(run, store):
    for more in (("-f", "html"), ("-o", "d.txt")):
        code, _, err = run(*ASK, "--to", ME, *more)
        assert code == 2
        two_lines(err)


def test_the_log_has_a_line_for_each_recipient_and_no_secret(run, store, configured, room, tmp_path):
    configured(room)
    run(*ASK, "--to", f"{ME},{YOU}", "--log-file", tmp_path / "log")
    lines = (tmp_path / "log").read_text().splitlines()
    assert [("sent" in line, ME in line, YOU in line) for line in lines] == [(True, True, False), (True, False, True)]
    assert PASSWORD not in "".join(lines)


def test_the_log_has_a_line_for_a_digest_on_the_screen_too(run, store, tmp_path):
    assert run(*ASK, "--log-file", tmp_path / "log")[0] == 0
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert FRIDAY in line
    assert "1 of 2 pairs moved" in line


# ---------------------------------------------------------------- at once, and cut short


def test_of_two_runs_at_once_one_sends(store, configured, room):
    configured(room)
    both = [
        subprocess.Popen([*PROGRAM, *ASK, "--to", ME], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    ends = [(one.communicate(timeout=60), one.returncode) for one in both]
    assert [code for _, code in ends] == [0, 0]
    assert len(room.envelopes) == 1
    assert attempts(store) == [["sending", "sent"]]


class Slow(Mailroom):
    """A server that says yes when it is told to."""

    def __init__(self, **options):
        super().__init__(**options)
        self.taken, self.may_answer = threading.Event(), threading.Event()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.envelopes.append(envelope)
        self.taken.set()
        await asyncio.to_thread(self.may_answer.wait, 30)
        return "250 OK"


def test_a_run_leaves_to_another_what_that_is_sending(run, store, configured, authority):
    with Slow(tls=authority.context, security="tls", users={"me": PASSWORD}) as room:
        configured(room)
        other = subprocess.Popen([*PROGRAM, *ASK, "--to", ME])
        assert room.taken.wait(30)
        assert run(*ASK, "--to", ME) == (0, "", f"note: the digest to {ME} is being sent by another run\n")
        room.may_answer.set()
        assert other.wait(30) == 0
    assert len(room.envelopes) == 1


def test_a_run_that_was_killed_is_made_good_with_the_same_message_id(run, store, configured, authority, monkeypatch):
    with Slow(tls=authority.context, security="tls", users={"me": PASSWORD}) as room:
        configured(room)
        killed = subprocess.Popen([*PROGRAM, *ASK, "--to", ME])
        assert room.taken.wait(30)
        killed.kill()
        killed.wait(30)
        room.may_answer.set()
        assert attempts(store) == [["sending"]]
        assert "being sent by another run" in run(*ASK, "--to", ME)[2]
        later = time.time() + CLAIM + 1
        monkeypatch.setattr(time, "time", lambda: later)
        assert run(*ASK, "--to", ME)[0] == 0
    assert attempts(store) == [["sending", "sending", "sent"]]
    first, second = room.letters
    for header in ("Message-ID", "Date", "Subject"):
        assert first[header] == second[header]
    for form in ("plain", "html"):
        assert first.get_body((form,)).get_content() == second.get_body((form,)).get_content()


def test_showing_a_digest_loads_nothing_heavy(store):
    code = (
        f"import sys; sys.argv = {['pairwatch', *ASK]!r}\n"
        "from pairwatch import cli\n"
        "cli._run()\n"
        "heavy = {'pandas', 'requests', 'scipy', 'yfinance', 'smtplib', 'email', 'tomlkit', 'rich.console'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ)
    assert done.stdout.splitlines()[-1] == "[]"
