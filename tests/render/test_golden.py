"""Each format as it stood: PAIRWATCH_GOLDEN=write writes the files anew, for `git diff` to show."""

import os
import re
from pathlib import Path

import pytest
from tests.render.comparisons import (
    FORMATS,
    HOSTILE_TEXTS,
    NOW,
    demo,
    hostile,
    points_and_level,
    rate_and_index,
    rate_and_price,
    two_rates,
    with_past,
)

from pairwatch import __version__
from pairwatch.render import Page, writer

FOLDER = Path(__file__).parent / "golden"
PAIRS = {
    "twins": lambda: demo("TWIN1", "TWIN2"),
    "leader": lambda: demo("LEADER", "FOLLOWER"),
    "week": lambda: demo("WEEK7", "WEEK5"),
    "rate": rate_and_price,
    "rate-index": rate_and_index,
    "rates": two_rates,
    "points-level": points_and_level,
    "past": with_past,
}
PAGES = {
    "table.80.txt": ("table", Page(now=NOW, width=80)),
    "table.120.txt": ("table", Page(now=NOW, width=120)),
    "table.pipe.txt": ("table", Page(now=NOW)),
    "table.ascii.txt": ("table", Page(now=NOW, width=80, unicode=False)),
    "csv": ("csv", Page(now=NOW)),
    "json": ("json", Page(now=NOW)),
    "md": ("markdown", Page(now=NOW)),
}
WRITE = os.environ.get("PAIRWATCH_GOLDEN") == "write"  # read once: tests see no PAIRWATCH_ variable


def comparable(text):
    """Without the version, and with nine digits: the last ones of exp and log differ between processors."""
    text = text.replace(f'"pairwatch": "{__version__}"', '"pairwatch": "VERSION"')
    return re.sub(r"-?\d+\.\d{6,}(?:e[+-]\d+)?", lambda found: f"{float(found[0]):.9g}", text)


@pytest.mark.parametrize("ending", PAGES)
@pytest.mark.parametrize("pair", PAIRS)
def test_a_format_is_as_it_was(pair, ending):
    name, page = PAGES[ending]
    text = comparable(writer(name)(PAIRS[pair](), page))
    file = FOLDER / f"{pair}.{ending}"
    if WRITE:
        file.write_bytes(text.encode())
    assert file.read_bytes().decode() == text


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_comparison_gives_the_same_bytes(name):
    page = Page(now=NOW, width=80)
    assert writer(name)(demo(), page) == writer(name)(demo.__wrapped__(), page)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_no_control_character_gets_through(text, name):
    for page in (Page(now=NOW), Page(now=NOW, width=80), Page(now=NOW, width=80, unicode=False)):
        shown = writer(name)(hostile(text), page)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
        shown.encode()
