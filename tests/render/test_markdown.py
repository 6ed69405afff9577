import re

import pytest
from markdown_it import MarkdownIt
from tests.render.comparisons import ALL, HOSTILE_TEXTS, NOW, PIPE, Page, demo, hostile, with_files

from pairwatch.render import cells
from pairwatch.render import markdown as writer

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {"heading", "bullet_list", "list_item", "paragraph", "table", "thead", "tbody", "tr", "th", "td", "strong"}


def parsed(text):
    """What a reader of Markdown makes of it: its tags, its text, and the cells of its tables."""
    blocks = READER.parse(text)
    tokens = [t for block in blocks for t in (block.children or [block])]
    tags = {re.sub("_(open|close)$", "", t.type) for t in [*blocks, *tokens]} - {
        "inline",
        "text",
        "softbreak",
        "text_special",
    }
    texts = ["".join(t.content for t in b.children) for b in blocks if b.type == "inline"]
    return tags, texts


def rows(text):
    blocks = READER.parse(text)
    found, row = [], None
    for block in blocks:
        if block.type == "tr_open":
            row = []
        elif block.type == "tr_close":
            found.append(row)
            row = None
        elif block.type == "inline" and row is not None:
            row.append("".join(t.content for t in block.children))
    return found


@pytest.mark.parametrize("name", ALL)
def test_every_reading_stands_in_a_table_with_its_cell(name):
    c = ALL[name]()
    found = rows(writer.comparison(c, PIPE))
    for (label, cellrow), marks in zip(cells.leg_rows(c), cells.leg_marks(c), strict=True):
        assert [label, *(f"{x} {mark}".rstrip() for x, mark in zip(cellrow, marks, strict=True))] in found
    for row, (share, _) in zip(cells.pair_rows(c), cells.pair_percentiles(c), strict=True):
        assert [*row, *([share] if c.percentiles else [])] in found
    for row in cells.pair_rows(c, "leadership"):
        assert list(row[:2]) in found


def test_every_lag_has_its_correlation():
    text = writer.comparison(demo(), PIPE)
    line = next(line for line in text.splitlines() if line.startswith("**r(k)**"))
    lead = demo().leadership
    assert [float(x) for x in line.partition(": ")[2].split(", ")] == [round(lead.at(k), 3) for k in range(-10, 11)]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_no_markdown_of_a_name_becomes_active(text):
    tags, texts = parsed(writer.comparison(hostile(text), PIPE))
    assert tags <= OURS
    assert any(hostile(text).receipt.a.facts.name in line for line in texts)


@pytest.mark.parametrize(
    "path", ["[a](b).csv", "`x`|y.csv", "**b**.csv", "<b>.csv", "\\|.csv", "www.evil.example", "~~x~~.csv"]
)
def test_no_markdown_of_a_path_becomes_active(path):
    text = writer.comparison(with_files(path, "b.csv"), PIPE)
    tags, _ = parsed(text)
    assert tags <= OURS
    assert ["each leg", f"csv:{path}", "csv:b.csv", "A - B"] in rows(text)


@pytest.mark.parametrize(
    "link", ["https://evil.example", "www.evil.example", "WWW.evil.example", "me@evil.example", "HTTP://evil.example"]
)
def test_nothing_is_left_that_github_would_turn_into_a_link(link):
    assert not re.search(r"https?://|www\.|\w@\w", writer.escaped(link), re.IGNORECASE)


def test_nothing_is_left_that_github_would_turn_into_a_mention_a_reference_or_an_emoji():
    assert writer.escaped("@me #1 :tada: $x$ &lt;") == r"\@me \#1 \:tada: \$x\$ \&lt;"


def test_what_is_harmless_stays_readable():
    for text in ("demo:TWIN1", "+1.23% (p .05)", "[0.1, 0.2]".strip("[]"), "1.5 - 2 = x!"):
        assert writer.escaped(text) == text


def test_the_title_the_verdict_and_simulated_are_said():
    text = writer.comparison(demo(), PIPE)
    assert text.startswith("## demo:TWIN1 against demo:TWIN2")
    assert "simulated" in text.splitlines()[0]
    assert "**Who leads:**" in text


def test_every_claim_is_there_with_its_verdict():
    _, texts = parsed(writer.comparison(demo(), PIPE))
    for claim in demo().claims:
        assert f"{claim.verdict} {claim.text}: {claim.because}" in texts


def test_an_ascii_output_is_ascii():
    text = writer.comparison(demo(), Page(now=NOW, unicode=False))
    assert text.isascii()
    assert "?" not in text


def test_all_rows_of_a_table_have_the_same_number_of_cells():
    for name in ALL:
        for table in re.split(r"\n\n", writer.comparison(ALL[name](), PIPE)):
            if table.startswith("| "):
                assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
