"""A digest in each format: as it stood (PAIRWATCH_GOLDEN=write writes the files anew), short, and safe."""

import math
import os
import re
from datetime import date, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pairwatch.digest import NEWS, STANDING, TROUBLE, Digest, Move, Remark
from pairwatch.model import Leg, Window
from pairwatch.render import Page
from pairwatch.render.digest import as_html, as_markdown, as_text, subject

FOLDER = Path(__file__).parent / "golden"
WRITE = os.environ.get("PAIRWATCH_GOLDEN") == "write"  # read once: tests see no PAIRWATCH_ variable
FRIDAY = date(2026, 11, 20)
STILL = [("A", "B"), ("C", "D"), ("E", "F")]
THURSDAY = FRIDAY - timedelta(days=1)
NAN = math.nan
PIPE = Page(now=0.0)


def leg(text):
    return Leg.parse(text)


def move(a, b, gap_sigmas=0.5, correlation_sigmas=0.4, **changes):
    found = Move(
        a=leg(a),
        b=leg(b),
        start=THURSDAY,
        end=FRIDAY,
        sessions=1,
        changes=(0.0123, -0.0041),
        units=("fraction", "fraction"),
        gap=0.0164,
        gap_sigmas=gap_sigmas,
        correlations=(0.912, 0.874),
        correlation_sigmas=correlation_sigmas,
        ratio_zscore=-1.24,
    )
    return found._replace(**changes)


def remark(kind, text, *pairs):
    return Remark(kind, tuple((leg(a), leg(b)) for a, b in pairs), text)


def digest(moves=(), remarks=(), pairs=12, still=(), windows=()):
    return Digest(
        FRIDAY,
        THURSDAY,
        Window.parse("90d"),
        pairs,
        tuple((leg(a), leg(b)) for a, b in still),
        tuple(moves),
        tuple(remarks),
        tuple((Window.parse(text), tuple((leg(a), leg(b)) for a, b in who)) for text, who in windows),
    )


def busy():
    """A little of everything."""
    moves = [
        move("QQQ", "IWM", 3.24, 1.1),
        move("demo:LEADER", "csv:prices of the year.csv#FOLLOWER", 2.0, NAN),
        move("^TNX", "^IRX", 1.0, changes=(12.34, -0.5), units=("bp", "bp"), gap=12.84, ratio_zscore=NAN),
        move(
            "^TNX", "SPY", NAN, NAN, changes=(12.34, 0.01), units=("bp", "fraction"), gap=NAN, correlations=(-0.5, NAN)
        ),
        move("ETH-BTC", "BTC-USD", NAN, NAN, changes=(NAN, NAN), gap=NAN, start=date(2026, 11, 12), sessions=8),
    ]
    remarks = [
        remark("began", "breakdown began (correlation 0.55)", ("QQQ", "IWM")),
        remark("breakdown", "breakdown: correlation 0.55, below 0.78, its 95 % low of 2026-10-23", ("QQQ", "IWM")),
        remark("lead", "SPY leads TLT by 1 bar (p .003): new", ("SPY", "TLT")),
        remark("in force", "wide since 2026-11-02 (ratio_zscore 2.4)", ("KO", "PEP")),
        remark(
            "failed", "failed on 2026-11-20: yahoo throttles", ("GLD", "SLV"), ("GLD", "GDX"), ("A", "B"), ("C", "D")
        ),
        remark("stale", "TLT: its last close, 2026-11-06, is 14 days old", ("SPY", "TLT")),
        remark("behind", "the newest session is 8 days old; did the snapshots run?"),
    ]
    return digest(moves, remarks, still=[("GLD", "SLV"), ("KO", "PEP")])


DIGESTS = {
    "busy": busy,
    "quiet": lambda: digest([move("QQQ", "IWM"), move("SPY", "TLT", 0.2, 0.1)], pairs=2),
    "still": lambda: digest(pairs=3, still=STILL),
    "windows": lambda: digest(
        [move("QQQ", "IWM"), move("fred:UNRATE", "fred:INDPRO")],
        windows=[("5y", [("fred:UNRATE", "fred:INDPRO"), *STILL]), ("61b", [("GLD", "SLV")])],
    ),
}
FORMS = {
    "80.txt": lambda d: as_text(d, Page(now=0.0, width=80)),
    "pipe.txt": lambda d: as_text(d, PIPE),
    "ascii.txt": lambda d: as_text(d, Page(now=0.0, width=60, unicode=False)),
    "md": lambda d: as_markdown(d, PIPE),
    "html": lambda d: as_html(d, PIPE),
}


@pytest.mark.parametrize("ending", FORMS)
@pytest.mark.parametrize("name", DIGESTS)
def test_a_digest_is_as_it_was(name, ending):
    text = FORMS[ending](DIGESTS[name]())
    file = FOLDER / f"digest-{name}.{ending}"
    if WRITE:
        file.write_bytes(text.encode())
    assert file.read_bytes().decode() == text


# ---------------------------------------------------------------- short

LEGS = st.sampled_from(
    ["QQQ", "IWM", "demo:FOLLOWER", "csv:a very long name of a file with prices.csv#X", "csv:価格.csv"]
)
SIGMAS = st.one_of(st.just(NAN), st.floats(0, 99))
STARTS = st.dates(THURSDAY - timedelta(days=5), THURSDAY)
KINDS = st.sampled_from([*NEWS, *STANDING, *TROUBLE])


@given(
    st.lists(st.builds(move, LEGS, st.just("ZZZ"), SIGMAS, SIGMAS, start=STARTS), max_size=60),
    st.lists(st.builds(remark, KINDS, st.text("x –é", max_size=200), st.just(("QQQ", "IWM"))), max_size=60),
    st.integers(22, 60),
    st.integers(40, 130),
    st.booleans(),
)
def test_a_page_is_never_longer_or_wider_than_the_screen(moves, remarks, height, width, unicode):
    moves.sort(key=lambda one: -one.score if one.score >= 0 else 1.0)
    text = as_text(
        digest(moves, remarks, pairs=len(moves), still=STILL), Page(now=0.0, width=width, unicode=unicode), height
    )
    assert len(text.splitlines()) <= height
    assert max(map(cell_len, text.splitlines())) <= width
    assert unicode or text.isascii()


def test_what_is_left_out_is_counted():
    moves = [move(f"A{n}", "B", 9 - n / 100, 0) for n in range(200)]
    text = as_text(digest(moves, [remark("failed", f"no {n}", ("A", "B")) for n in range(50)], pairs=200), PIPE)
    lines = text.splitlines()
    assert len(lines) == 24
    rows = sum(line.startswith("A") for line in lines)
    assert f"  and {200 - rows} quieter pairs, {9 - rows / 100:.1f} sigma at most" in lines
    failed = sum("A/B: no" in line for line in lines)
    assert lines[-1] == f"  and {50 - failed} more"


@pytest.mark.parametrize("write", [as_markdown, as_html])
def test_what_markdown_and_html_leave_out_is_counted_too(write):
    moves = [move(f"A{n}", "B", 1.0, 0) for n in range(50)]
    text = write(digest(moves, [remark("failed", f"no {n}", ("A", "B")) for n in range(60)]), PIPE)
    assert "and 10 quieter pairs, 1.0 sigma at most" in text
    assert "and 20 more" in text


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        ("QQQ", "IWM", "QQQ/IWM"),
        ("demo:TWIN1", "demo:TWIN2", "TWIN1/TWIN2"),
        ("csv:a folder/prices.csv#LEFT", "csv:a folder/prices.csv", "LEFT/prices.csv"),
        ("csv:a_name_that_is_longer.csv", "csv:another_of_this_kind.csv", "a_name_t…/another_…"),
        ("csv:a_name_that_is_longer.csv", "IWM", "a_name_that_is…/IWM"),
        ("csv:a very long folder/#", "csv:/", "a very long fold…/…"),
    ],
)
def test_a_name_without_room_keeps_what_tells_pairs_apart(a, b, shown):
    text = as_text(digest([move(a, b)]), Page(now=0.0, width=79))
    assert text.splitlines()[4].startswith(f"{shown}  ")


def test_nothing_unusual_is_said_in_a_line():
    assert as_text(DIGESTS["quiet"](), PIPE).splitlines()[1] == (
        "nothing unusual: the largest move is 0.5 sigma, QQQ/IWM"
    )
    assert as_text(digest(pairs=3, still=STILL), PIPE).splitlines()[1:] == [
        "nothing unusual: no pair moved",
        "without a session since: A/B, C/D and 1 more",
    ]


@pytest.mark.parametrize("write", [as_text, as_markdown, as_html])
def test_a_move_since_another_day_than_the_headings_says_so(write):
    early = {"start": date(2026, 11, 10), "sessions": 8}
    moves = [move("QQQ", "IWM"), move("C", "D", **early), move("A", "B", start=FRIDAY - timedelta(days=2))]
    text = write(digest(moves), PIPE).replace("\\", "")
    for name, origin in (
        ("C/D*", "* C/D since 2026-11-10 (8 sessions)"),
        ("A/B*", "* A/B since 2026-11-18 (1 session)"),
    ):
        assert name in text
        assert origin in text
    assert "QQQ/IWM*" not in text
    assert "* A/B, B/B and 3 more since 2026-11-10 (8 sessions)" in as_text(
        digest([move(a, "B", **early) for a in "ABCDE"]), PIPE
    )


def test_a_subject_names_the_top_and_counts_the_rest():
    assert subject(busy()) == (
        "pairwatch: QQQ/IWM 3.2 sigma and 1 more, 1 condition began, 1 breakdown, 4 pairs failed, 1 pair stale,"
        " no newer session"
    )
    assert subject(digest([move("QQQ", "IWM", 2.0)])) == "pairwatch: QQQ/IWM 2.0 sigma"
    assert subject(digest([move("QQQ", "IWM", 1.9)])) == "pairwatch: nothing unusual, 12 pairs"
    two = (remark("began", "x began", ("A", "B")), remark("began", "y began", ("A", "B")))
    assert subject(digest(remarks=two)) == "pairwatch: 2 conditions began"


# ---------------------------------------------------------------- safe

HOSTILE = (
    "csv:<script>alert(1)</script>.csv",
    'csv:" onload="x.csv',
    "csv:[a](https://evil.example).csv",
    "csv:a|b|c.csv",
    "csv:&lt;b&gt;&amp;.csv",
    "csv:' style='x.csv",
    "csv:[bold]red[/bold].csv",
)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_becomes_markup(text):
    hostile = digest([move(text, "IWM", 3.0)], [remark("failed", text, (text, "IWM"))])
    plain = digest([move("QQQ", "IWM", 3.0)], [remark("failed", "x", ("QQQ", "IWM"))])
    shown, expected = Tags(as_html(hostile, PIPE)), Tags(as_html(plain, PIPE))
    assert (shown.seen, shown.attributes) == (expected.seen, expected.attributes)
    assert any(text in words for words in shown.words)
    row = next(line for line in as_markdown(hostile, PIPE).splitlines() if line.startswith("| csv"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 9
    assert not re.search(r"(?<!\\)[<\[]", row)
    assert text in as_text(hostile, PIPE)


def test_a_mail_loads_nothing_and_leaves_colours_to_its_reader():
    text = as_html(busy(), PIPE)
    assert not re.search(r"https?:|<script|<style|<link|<img|url\(|\bcolor:#|background", text)
    assert set(Tags(text).attributes) <= {
        "cellpadding", "cellspacing", "charset", "content", "lang", "name", "style"
    }  # fmt: skip
    assert "Segoe" in unescape(text)
