"""What a study says: sections of rows by their columns."""

from datetime import date

import pytest
from tests.builders import linked_pair
from tests.studies.test_paired import pair_of

from pairwatch.model import NAN, Column, Heading, Section

MOVES = Heading(
    "moves",
    "the moves",
    "What moved.",
    (Column("day", "day", "date", "Its day."), Column("size", "size", "return", "How far.")),
)
ROWS = ((date(2026, 11, 20), 0.5), (date(2026, 11, 19), NAN))


def study(*sections, **facts):
    pair = pair_of(*linked_pair(61))
    return pair.study("spread", ("It is far: 2.1.",), sections, **facts)


def test_a_section_gives_its_rows_by_the_columns_keys():
    assert next(Section(MOVES, ROWS).records()) == {"day": date(2026, 11, 20), "size": 0.5}


def test_a_row_that_is_not_as_long_as_the_heading_is_a_bug():
    with pytest.raises(ValueError, match="shorter"):
        list(Section(MOVES, ((date(2026, 11, 20),),)).records())


def test_a_section_becomes_a_frame_with_a_column_for_each_key():
    frame = Section(MOVES, ROWS).to_frame()
    assert list(frame.columns) == ["day", "size"]
    assert frame["size"].tolist()[0] == 0.5
    assert frame["size"].isna().tolist() == [False, True]
    assert list(Section(MOVES, ()).to_frame().columns) == ["day", "size"]


def test_a_section_is_found_by_its_key_and_what_there_is_is_named_if_there_is_none():
    found = study(Section(MOVES, ROWS))
    assert found["moves"].rows == ROWS
    with pytest.raises(KeyError, match="no section 'leaps'; there are moves"):
        found["leaps"]


def test_a_study_says_what_it_is_of():
    found = study(Section(MOVES, ROWS))
    assert repr(found) == f"<Study spread AAA BBB, {found.since} to 2026-11-20>"
    assert (found.stale_reasons, found.simulated) == ((), False)


def test_a_warning_is_said_once_and_an_empty_one_never():
    assert study(warnings=("few", "", "few")).warnings == ("few",)
