import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch import config, locks, watchlist
from pairwatch.config import PairText
from pairwatch.errors import UsageError
from pairwatch.model import Window
from pairwatch.text import is_clean
from pairwatch.watchlist import Added, Addition

ADD = """
import sys
from pathlib import Path
from pairwatch import watchlist
sys.stdin.read()
for number in range(5):
    watchlist.add(Path(sys.argv[1]), f"A{sys.argv[2]}", f"B{number}")
"""
COMMENTED = """\
# mine
window = "1y"  # a year

watchlist = [
    ["QQQ", "IWM"],  # small caps
    # bonds
    "SPY TLT",
    ["GLD", "csv:my prices.csv#SLV"] # metals
]  # the end

# the rules
[[rules]]
name = "x"   # a name
when = "z > 2"

[mail]
host = 'smtp.example.com'
"""
KNOWN = (("QQQ", "IWM"), ("SPY", "TLT"), ("GLD", "csv:my prices.csv#SLV"))
WINDOWED = """\
watchlist = [
    ["QQQ", "IWM"],  # small caps
    "fred:UNRATE fred:INDPRO 5y", # slow
    ["SPY", "TLT", "61b"]
]
"""
MONTHLY = ("fred:UNRATE", "fred:INDPRO")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config.toml"


def pairs(file):
    """What is watched, as the file's list has it."""
    return tuple(pair.texts for pair in config.watch_list(tomllib.loads(file.read_text()), str(file)))


# ---------------------------------------------------------------- adding and removing


def test_a_pair_is_added_at_the_end(file):
    assert watchlist.add(file, "QQQ", "IWM").what is Addition.NEW
    assert watchlist.add(file, "SPY", "TLT").what is Addition.NEW
    assert pairs(file) == (("QQQ", "IWM"), ("SPY", "TLT"))


@pytest.mark.parametrize("legs", [("QQQ", "IWM"), ("qqq", " iwm "), ("yahoo:QQQ", "IWM")], ids=str)
def test_a_pair_is_not_added_twice(file, legs):
    watchlist.add(file, "QQQ", "IWM")
    before = file.read_bytes()
    assert watchlist.add(file, *legs).what is Addition.KNOWN
    assert file.read_bytes() == before


def test_the_pair_the_other_way_round_is_another_and_is_said(file):
    watchlist.add(file, "QQQ", "IWM")
    assert watchlist.add(file, "IWM", "QQQ").what is Addition.MIRRORED
    assert pairs(file) == (("QQQ", "IWM"), ("IWM", "QQQ"))


@pytest.mark.parametrize(
    ("typed", "source", "written"),
    [
        ("qqq", "yahoo", "QQQ"),
        ("yahoo:qqq", "yahoo", "yahoo:QQQ"),
        ("csv:My Prices.csv#iwm", "yahoo", "csv:My Prices.csv#iwm"),
        ("My.csv", "csv", "My.csv"),
        ("yahoo:qqq", "csv", "yahoo:QQQ"),
        ("demo:twin1", "yahoo", "demo:TWIN1"),
        ("^vix", "yahoo", "^VIX"),
    ],
)
def test_a_leg_is_written_as_it_will_be_read(file, typed, source, written):
    watchlist.add(file, typed, "demo:LEADER", source)
    assert pairs(file) == ((written, "demo:LEADER"),)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("csv:all.csv#a/../b", "csv:/data/all.csv#a/../b"),
        ("csv:./all.csv", "csv:/data/all.csv"),
        ("csv:../#1.csv#X", "csv:/#1.csv#X"),
        ("csv:#1.csv", "csv:/data/#1.csv"),
        ("csv:/old/all.csv#X", "csv:/old/all.csv#X"),
        ("csv:~/all.csv", "csv:~/all.csv"),
        ("demo:TWIN1", "demo:TWIN1"),
    ],
)
def test_a_path_is_written_so_that_it_can_be_read_from_anywhere(tmp_path, typed, written):
    added, imported = tmp_path / "added.toml", tmp_path / "imported.toml"
    watchlist.add(added, typed, "QQQ", folder=Path("/data"))
    assert watchlist.import_from(imported, f"{typed},QQQ", folder=Path("/data")) == (1, 0)
    assert pairs(added) == pairs(imported) == ((written, "QQQ"),)
    assert watchlist.add(added, typed, "QQQ", folder=Path("/data")).what is Addition.KNOWN
    assert watchlist.remove(added, typed, "QQQ", folder=Path("/data"))


def test_a_path_without_its_prefix_stays_without(file):
    watchlist.add(file, "all.csv", "demo:LEADER", "csv", Path("/data"))
    assert pairs(file) == (("/data/all.csv", "demo:LEADER"),)


def test_a_pair_that_was_written_by_hand_can_be_removed(file):
    file.write_text('watchlist = ["csv:all.csv#A foo:bar"]')
    assert watchlist.remove(file, "csv:all.csv#A", "foo:bar", folder=Path("/data"))
    assert pairs(file) == ()


def test_a_source_that_there_is_not_is_refused_with_those_there_are(file):
    changes = (
        lambda: watchlist.add(file, "QQQ", "foo:bar"),
        lambda: watchlist.import_from(file, "SPY TLT\nQQQ foo:bar"),
    )
    for change in changes:
        with pytest.raises(UsageError, match="no source is called 'foo'") as caught:
            change()
        assert "yahoo, fred, coingecko, cboe, csv, demo" in caught.value.hint
    assert not file.exists()


def test_a_pair_is_removed(file):
    file.write_text(COMMENTED)
    assert watchlist.remove(file, "spy", "yahoo:TLT") is True
    assert pairs(file) == (KNOWN[0], KNOWN[2])


@pytest.mark.parametrize("legs", [("TLT", "SPY"), ("SPY", "QQQ")])
def test_removing_what_is_not_there_changes_nothing(file, legs):
    file.write_text(COMMENTED)
    assert watchlist.remove(file, *legs) is False
    assert file.read_text() == COMMENTED


BAD = [("QQQ", "QQQ"), ("qqq", "yahoo:QQQ"), ("", "QQQ"), ("a/b", "QQQ"), ("\x1b[31m", "QQQ"), ("-", "QQQ")]
BAD += [("csv:-#X", "QQQ"), ("csv:", "QQQ")]


@pytest.mark.parametrize("legs", BAD, ids=repr)
def test_what_is_no_pair_is_refused_and_no_file_is_made(file, legs):
    for change in (watchlist.add, watchlist.remove):
        for each in (legs, legs[::-1]):
            with pytest.raises(UsageError) as caught:
                change(file, *each)
            assert is_clean(caught.value.message)
            assert caught.value.hint
    assert not file.exists()


@pytest.mark.parametrize(
    ("legs", "found"),
    [
        (("QQQ", "IWN"), ["QQQ IWM"]),
        (("IWM", "QQQ"), ["QQQ IWM"]),
        (("spy", "tltt"), ["SPY TLT"]),
        (("XXXXX", "ZZZZZ"), []),
    ],
)
def test_the_nearest_pairs_are_found(legs, found):
    assert [
        " ".join(pair.texts) for pair in watchlist.nearest(tuple(PairText(*pair) for pair in KNOWN), *legs)
    ] == found


# ---------------------------------------------------------------- a window of its own

YEARS, BARS = Window.parse("5y"), Window.parse("61b")


def test_a_pair_is_added_with_a_window_of_its_own(file):
    assert watchlist.add(file, *MONTHLY, window=" 5Y ") == (Addition.NEW, YEARS, None)
    assert pairs(file) == ((*MONTHLY, "5y"),)
    assert watchlist.add(file, *MONTHLY[::-1], window="61b") == (Addition.MIRRORED, BARS, None)


@pytest.mark.parametrize(
    ("window", "added", "left"),
    [
        (None, Added(Addition.KNOWN, YEARS, YEARS), ("5y",)),
        ("5y", Added(Addition.KNOWN, YEARS, YEARS), ("5y",)),
        ("61b", Added(Addition.CHANGED, BARS, YEARS), ("61b",)),
        ("none", Added(Addition.CHANGED, None, YEARS), ()),
        (" None", Added(Addition.CHANGED, None, YEARS), ()),
    ],
    ids=str,
)
def test_adding_a_pair_again_changes_its_window_where_one_is_said(file, window, added, left):
    file.write_text(WINDOWED)
    assert watchlist.add(file, *MONTHLY, window=window) == added
    assert pairs(file) == (("QQQ", "IWM"), (*MONTHLY, *left), ("SPY", "TLT", "61b"))


def test_a_pair_without_a_window_is_given_one_where_it_stands(file):
    file.write_text(COMMENTED)
    assert watchlist.add(file, "yahoo:spy", "TLT", window="5y") == (Addition.CHANGED, YEARS, None)
    assert file.read_text() == COMMENTED.replace('"SPY TLT"', '["SPY", "TLT", "5y"]')
    assert watchlist.add(file, "SPY", "TLT", window="none") == (Addition.CHANGED, None, YEARS)
    assert file.read_text() == COMMENTED.replace('"SPY TLT"', '["SPY", "TLT"]')


def test_other_windows_and_comments_stay_when_one_is_changed_or_a_pair_is_removed(file):
    file.write_text(WINDOWED)
    watchlist.add(file, "QQQ", "IWM", window="12w")
    assert file.read_text() == WINDOWED.replace('["QQQ", "IWM"]', '["QQQ", "IWM", "12w"]')
    assert watchlist.remove(file, *MONTHLY)
    assert pairs(file) == (("QQQ", "IWM", "12w"), ("SPY", "TLT", "61b"))


@pytest.mark.parametrize("window", ["soon", "", "0d", "5", "\x1b[31m"])
def test_a_window_that_is_none_is_refused_with_those_there_are(file, window):
    with pytest.raises(UsageError, match="not a window") as caught:
        watchlist.add(file, "QQQ", "IWM", window=window)
    assert "61b (bars); none is for" in caught.value.hint
    assert is_clean(caught.value.message)
    assert not file.exists()


# ---------------------------------------------------------------- the file


def test_comments_and_layout_survive(file):
    file.write_text(COMMENTED)
    watchlist.add(file, "EFA", "EEM")
    watchlist.remove(file, "SPY", "TLT")
    new = file.read_text()
    assert pairs(file) == (KNOWN[0], KNOWN[2], ("EFA", "EEM"))
    for line in COMMENTED.splitlines():
        if "SPY" not in line and "GLD" not in line:
            assert line in new.splitlines()
    assert "# metals" in new


def test_adding_and_removing_gives_back_the_rest_byte_for_byte(file):
    head, end = COMMENTED.split("watchlist = [", 1)
    end = end.split("]  # the end", 1)[1]
    file.write_text(COMMENTED)
    watchlist.add(file, "EFA", "EEM")
    watchlist.remove(file, "EFA", "EEM")
    assert file.read_text().startswith(head)
    assert file.read_text().endswith(end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        'window = "1y"',
        "[mail]\nhost = 'x'\n",
        "# of mail\n[mail]\nhost = 'x'\n[[rules]]\nname = 'x'\n",
        "watchlist = []",
        "watchlist = [ ] # none\n",
        "watchlist=[['A','B']]",
        "watchlist = [\n  'A B'\n  # last\n]\n",
        "watchlist = [\n  'A B' # b\n  , 'C D'\n]\n",
        "watchlist = [['A', 'B'],]\n[mail]\nport = 25",
        "watchlist = [\n\t['A',\n\t'B'],\n\n\n]\n",
        '"watchlist" = ["A B"]\n',
        "window = '1y'\r\n# c\r\nwatchlist = [\r\n  'A B',\r\n]\r\n",
        'watchlist = ["""A B"""]\n',
    ],
)
def test_every_form_of_a_list_takes_a_pair_and_gives_it_back(file, text):
    file.write_bytes(text.encode())
    data = tomllib.loads(text)
    known = tuple(pair.texts for pair in config.watch_list(data, ""))
    assert watchlist.add(file, "EFA", "EEM").what is Addition.NEW
    assert pairs(file) == (*known, ("EFA", "EEM"))
    assert watchlist.remove(file, "EFA", "EEM")
    for pair in known:
        assert watchlist.remove(file, *pair)
    found = tomllib.loads(file.read_bytes().decode())
    assert found == {**data, "watchlist": []}
    for comment in ("# nothing", "# of mail", "# none", "# c"):
        assert (comment in text) == (comment in file.read_text())


def test_line_ends_stay(file):
    file.write_bytes(b"window = '1y'\r\n[mail]\r\nhost = 'x'\r\n")
    watchlist.add(file, "A", "B")
    assert file.read_bytes().startswith(b"window = '1y'\r\n")
    assert file.read_bytes().endswith(b"[mail]\r\nhost = 'x'\r\n")


symbols = st.sampled_from(["A", "B", "C", "D"])
windows = st.sampled_from([None, "none", "5y", "61b"])
changes = st.lists(
    st.tuples(st.booleans(), symbols, symbols, windows).filter(lambda change: change[1] != change[2]), max_size=9
)


@given(changes)
def test_any_changes_leave_the_pairs_in_their_order_and_the_rest_alone(tmp_path_factory, changes):
    file = tmp_path_factory.mktemp("list") / "config.toml"
    file.write_text(COMMENTED)
    wanted = dict.fromkeys(KNOWN, ())
    for adds, a, b, window in changes:
        if adds:
            new = wanted.get((a, b), ()) if window is None else () if window == "none" else (window,)
            known = wanted.get((a, b)) == new
            assert (watchlist.add(file, a, b, window=window).what is Addition.KNOWN) == known
            wanted[a, b] = new
        else:
            assert watchlist.remove(file, a, b) == ((a, b) in wanted)
            wanted.pop((a, b), None)
    assert pairs(file) == tuple((*legs, *window) for legs, window in wanted.items())
    assert file.read_text().startswith('# mine\nwindow = "1y"  # a year\n\nwatchlist = [')
    assert file.read_text().endswith(COMMENTED[COMMENTED.index("  # the end") :])
    assert "# small caps" in file.read_text()


def test_a_new_file_and_its_folder_are_the_owners_alone(tmp_path):
    file = tmp_path / "new" / "config.toml"
    before = os.umask(0)
    try:
        watchlist.add(file, "QQQ", "IWM")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


def test_an_old_file_keeps_its_mode_and_a_link_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "config.toml", tmp_path / "link.toml"
    real.write_text("")
    real.chmod(0o640)
    link.symlink_to(real)
    watchlist.add(link, "QQQ", "IWM")
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert pairs(real) == (("QQQ", "IWM"),)


def test_ten_processes_that_add_at_once_lose_nothing(file):
    runs = [
        subprocess.Popen([sys.executable, "-c", ADD, file, str(who)], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for who in range(10)
    ]
    for run in runs:  # all begin together
        run.stdin.close()
        run.stdin = None
    assert [(run.communicate(timeout=60)[1], run.returncode) for run in runs] == [(b"", 0)] * 10
    assert sorted(pairs(file)) == sorted((f"A{who}", f"B{number}") for who in range(10) for number in range(5))


BROKEN = {
    "half a line": b"watchlist = ",
    "no list": b"watchlist = 1",
    "no pair": b"watchlist = [1]",
    "no text": b"\xff\xfe",
    "deep nesting": b"x = " + b"[" * 100_000,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_and_left_alone(file, data):
    file.write_bytes(data)
    with pytest.raises(UsageError, match=str(file)):
        watchlist.add(file, "QQQ", "IWM")
    assert file.read_bytes() == data


@pytest.mark.parametrize("where", ["file/config.toml", "folder", "a\0b", "x" * 300, "loop"])
def test_a_file_that_cannot_be_is_named(tmp_path, where):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match=r"cannot be (edited|written)"):
        watchlist.add(tmp_path / where, "QQQ", "IWM")


def test_a_folder_that_another_process_holds_is_said(file, monkeypatch):
    monkeypatch.setattr(locks, "TRIES", 3)
    folder = os.open(file.parent, os.O_RDONLY)
    locks.wait_for(folder)
    with pytest.raises(UsageError, match="another process holds it"):
        watchlist.add(file, "QQQ", "IWM")
    os.close(folder)
    assert watchlist.add(file, "QQQ", "IWM").what is Addition.NEW


def test_an_edit_that_would_harm_the_file_is_not_made(file, monkeypatch):
    file.write_text(COMMENTED)
    monkeypatch.setattr(watchlist.tomlkit, "dumps", lambda _: 'watchlist = [["EFA", "EEM"]]')
    with pytest.raises(UsageError, match="without harm"):
        watchlist.add(file, "EFA", "EEM")
    assert file.read_text() == COMMENTED


# ---------------------------------------------------------------- importing

LINES = """\ufeffa,b
# what I watch
QQQ IWM   # small caps

  spy,tlt
GLD , csv:all.csv#SLV
csv:all.csv#A  csv:all.csv#B # a comment
"csv:my, own #1.csv","csv:other one.csv#X"
"""


def test_pairs_are_imported_from_lines_of_both_forms(file):
    assert watchlist.import_from(file, LINES) == (5, 0)
    assert pairs(file) == (
        ("QQQ", "IWM"),
        ("SPY", "TLT"),
        ("GLD", "csv:all.csv#SLV"),
        ("csv:all.csv#A", "csv:all.csv#B"),
        ("csv:my, own #1.csv", "csv:other one.csv#X"),
    )


def test_what_is_there_or_comes_twice_is_imported_once(file):
    watchlist.add(file, "QQQ", "IWM")
    assert watchlist.import_from(file, "qqq iwm\nSPY TLT\nspy,tlt\nIWM QQQ") == (2, 0)
    assert pairs(file) == (("QQQ", "IWM"), ("SPY", "TLT"), ("IWM", "QQQ"))


def test_lines_of_three_carry_windows_and_change_those_that_are_there(file):
    file.write_text(WINDOWED)
    lines = "A,B,WINDOW\nQQQ,IWM,\nfred:UNRATE  fred:INDPRO  4Y # longer\nSPY TLT\nGLD, SLV, 1y\nGLD,GDX,none\n"
    assert watchlist.import_from(file, lines) == (2, 1)
    assert pairs(file) == (
        ("QQQ", "IWM"),
        (*MONTHLY, "4y"),
        ("SPY", "TLT", "61b"),
        ("GLD", "SLV", "1y"),
        ("GLD", "GDX"),
    )


@pytest.mark.parametrize("other", ["1y", "none"])
def test_a_text_with_two_windows_for_one_pair_is_refused(file, other):
    with pytest.raises(UsageError, match="line 4 has another window than line 2") as caught:
        watchlist.import_from(file, f"QQQ IWM\nQQQ IWM 5y\nQQQ IWM\nqqq,IWM,{other}\n")
    assert "one window" in caught.value.hint
    assert not file.exists()


def test_a_window_that_is_said_twice_or_once_is_one_window(file):
    assert watchlist.import_from(file, "QQQ IWM\nQQQ IWM 5y\nQQQ,IWM,5Y\nQQQ IWM") == (1, 0)
    assert pairs(file) == (("QQQ", "IWM", "5y"),)


@pytest.mark.parametrize("lines", ["", "\n\n", "# only words\n", "a,b\r\n"])
def test_no_lines_are_no_pairs_and_no_file(file, lines):
    assert watchlist.import_from(file, lines) == (0, 0)
    assert not file.exists()


@pytest.mark.parametrize(
    "line",
    [
        "QQQ",
        "QQQ IWM SPY",
        "QQQ IWM 5y 5y",
        "QQQ,IWM,0d",
        "QQQ,",
        ",",
        "QQQ,QQQ",
        "a/b QQQ",
        "\x1b[31m QQQ",
        '"QQQ,IWM',
        "- QQQ",
    ],
)
def test_one_wrong_line_is_named_and_nothing_is_imported(file, line):
    with pytest.raises(UsageError, match=r"^line 3") as caught:
        watchlist.import_from(file, f"QQQ IWM\n# words\n{line}\nSPY TLT\n")
    assert is_clean(caught.value.message)
    assert not file.exists()


def test_what_is_listed_can_be_imported(file, tmp_path):
    import csv
    import io

    file.write_text(COMMENTED)
    watchlist.add(file, *MONTHLY, window="5y")
    text = io.StringIO()
    csv.writer(text).writerows([("a", "b", "window"), *((*pair, "")[:3] for pair in pairs(file))])
    other = Path(tmp_path / "other.toml")
    assert watchlist.import_from(other, text.getvalue()) == (4, 0)
    assert pairs(other) == (*KNOWN, (*MONTHLY, "5y"))
