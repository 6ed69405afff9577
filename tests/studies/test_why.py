"""Sentences: each with its number, each number one that a study has computed."""

import math
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import builders
from tests.builders import FRIDAY, compared, history, linked_pair, linked_returns, prices

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import Column, Heading, Leg, Section, Window
from pairwatch.staging import Question
from pairwatch.studies import instruments, why
from pairwatch.studies.paired import paired
from pairwatch.studies.why.quoted import ASKED

KNOWN = instruments.shipped()
NOBODY = instruments.Catalogue({})
# A percentage, a number with or without a zero before its point; 95 of `95% interval` is no result.
NUMBER = re.compile(r"(?<![\w.])[+−-]?(?:\d[\d,]*)?\.?\d+")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def asked(a, b, window="90d", as_of=FRIDAY):
    return paired(a, b, Question(as_of, Window.parse(window)))


def sentences(found):
    return list(found["sentences"].records())


def text(found):
    return [one["sentence"] for one in sentences(found)]


def fake(name, *findings, value=0.25, warnings=()):
    """A study with one number in one row."""
    heading = Heading(
        "now",
        "now",
        "",
        (Column("what", "", "text", ""), Column("value", "", "unit", ""), Column("unit", "", "text", "")),
    )
    rows = (("other", 9.0, "count"), ("it", value, "fraction"))
    return lambda pair: pair.study(name, findings, (Section(heading, rows),), warnings)


def too_short(pair):
    raise NotEnoughData("AAA and BBB have 61 common returns, a test needs 252")


def refused(pair):
    raise UsageError("a level cannot be hedged")


FAKES = {"lead": fake("lead", "no lead: p .41 over 61 returns"), "hedge": fake("hedge", "B hedges A: .71 [.6, .8]")}


def qqq_iwm(n=300):
    a, b = linked_returns(n, 0.8, 3)
    return history(prices(a), symbol="QQQ"), history(prices(b, 50.0), symbol="IWM")


# ---------------------------------------------------------------- sentences and their numbers


def test_the_questions_are_answered_in_their_order():
    names = ("lead", "correlation", "spread", "hedge", "analogs")
    makes = {name: fake(name, f"{name}: 1 of 2", "break: 1", "breakdowns: 1", "volatility low .7") for name in names}
    topics = list(dict.fromkeys(one["topic"] for one in sentences(why.study(asked(*qqq_iwm()), KNOWN, makes))))
    assert topics == [
        "the legs",
        "relation",
        "who leads",
        "regimes",
        "reversion",
        "the gap",
        "hedge",
        "analogs",
        "how sure",
    ]


def test_what_a_leg_holds_is_said_beside_its_volatility():
    a, b = qqq_iwm()
    said = text(why.study(asked(a, b), KNOWN, {}))[0]
    expected = compared(a, b)["a", "volatility"]
    assert said == (
        "QQQ holds the Nasdaq-100: the 100 largest non-financial companies listed on Nasdaq, weighted by value; "
        f"its volatility is {100 * expected:.1f}% a year over the last 65 returns."
    )


def test_of_a_leg_that_nobody_knows_no_fact_is_said():
    said = text(why.study(asked(*linked_pair(200)), NOBODY, {}))
    assert said[0].startswith("AAA is not in the catalogue; its volatility is ")


def test_a_study_is_quoted_by_its_first_finding():
    found = sentences(why.study(asked(*qqq_iwm()), KNOWN, FAKES))
    one = next(each for each in found if each["topic"] == "who leads")
    assert one["sentence"] == "no lead: p .41 over 61 returns."
    assert one["from"].startswith("pairwatch lead QQQ IWM")


def test_a_study_without_data_enough_is_a_sentence_with_its_number():
    found = sentences(why.study(asked(*linked_pair(200)), NOBODY, {"lead": too_short}))
    one = next(each for each in found if each["topic"] == "who leads")
    assert one["sentence"] == (
        "200 common returns do not say whether one leads: AAA and BBB have 61 common returns, a test needs 252."
    )
    assert math.isnan(one["number"])
    assert text(why.study(asked(*linked_pair(200)), NOBODY, {"lead": too_short}))[-1] == (
        "1 of 1 questions cannot be answered from these returns."
    )


def test_a_study_that_refuses_the_units_is_a_sentence_with_a_number():
    found = sentences(why.study(asked(*linked_pair(200)), NOBODY, {"hedge": refused}))
    one = next(each for each in found if each["topic"] == "hedge")
    assert one["sentence"] == ("200 common returns do not say whether one hedges the other: a level cannot be hedged.")


def test_a_bug_in_a_study_is_not_hushed():
    def broken(pair):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        why.study(asked(*linked_pair(200)), NOBODY, {"lead": broken})


def test_the_warnings_of_the_studies_are_kept_once():
    makes = {name: fake(name, "1", warnings=("mind the 2 clocks",)) for name in ("lead", "hedge")}
    assert why.study(asked(*linked_pair(200)), NOBODY, makes).warnings.count("mind the 2 clocks") == 1


def test_a_third_legs_own_sentence_needs_no_catalogue_of_both():
    a, b = qqq_iwm()
    b = history(b.series.closes, symbol="ZZZ")
    said = " ".join(text(why.study(asked(a, b), KNOWN, {})))
    assert "growth" not in said


@pytest.mark.parametrize("unit", ["rates", "mixed", "level"])
def test_legs_of_other_units_have_sentences_in_theirs(unit):
    rng = np.random.default_rng(1)
    rate = history(3 + 0.02 * np.cumsum(rng.standard_normal(300)), symbol="R1", measure="rate", unit="percent")
    other = {
        "rates": history(4 + 0.02 * np.cumsum(rng.standard_normal(300)), symbol="R2", measure="rate", unit="percent"),
        "mixed": history(prices(linked_returns(299)[0]), symbol="P"),
        "level": history(20 * prices(linked_returns(299)[0]), symbol="V", measure="level", unit="points"),
    }[unit]
    found = sentences(why.study(asked(rate, other), NOBODY, {}))
    gap = next(one for one in found if one["topic"] == "the gap")
    assert " bp" in gap["sentence"]
    assert ("ahead" in gap["sentence"]) == (unit == "rates")
    assert gap["unit"] == "bp"
    assert all(re.search(r"\d", one["sentence"]) for one in found)


@pytest.mark.parametrize("turned", [False, True])
def test_legs_are_named_in_the_order_in_which_they_are_typed(turned):
    a, b = qqq_iwm()
    said = " ".join(text(why.study(asked(*((b, a) if turned else (a, b))), KNOWN, {})))
    one, other = ("small (equity, US)", "growth (equity, US)")[:: 1 if turned else -1]
    assert f"{one} against {other}: " in said
    assert f"the difference of {'IWM and QQQ' if turned else 'QQQ and IWM'} moves" in said


def test_a_hedge_the_other_way_round_that_cannot_be_said_is_left_out():
    heading = Heading(
        "out_of_sample", "", "", (Column("hedge", "", "text", ""), Column("effectiveness", "", "fraction", ""))
    )
    section = Section(heading, (("61 bars", 0.5), ("the other way round", math.nan)))
    made = {"hedge": lambda pair: pair.study("hedge", ("B hedges A: 50%",), (section,))}
    found = sentences(why.study(asked(*linked_pair(200)), NOBODY, made))
    assert [one["sentence"] for one in found if one["topic"] == "hedge"] == ["B hedges A: 50%."]


def test_a_leg_that_does_not_move_has_no_sentence_without_a_number():
    flat = history(np.full(201, 10.0), symbol="FLAT")
    found = text(why.study(asked(flat, linked_pair(200)[1]), NOBODY, {}))
    assert found
    assert all(re.search(r"\d", one) for one in found)
    assert not any("nan" in one for one in found)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(-0.95, 0.95), st.integers(21, 300))
def test_every_sentence_has_a_number_and_swapping_the_legs_gives_the_same_facts(seed, rho, n):
    a, b = linked_pair(n, rho, seed)
    there, back = (sentences(why.study(asked(*pair), NOBODY, FAKES)) for pair in ((a, b), (b, a)))
    assert all(re.search(r"\d", one["sentence"]) for one in there)
    assert sorted(numbers_in(there)) == sorted(numbers_in(back))
    assert [abs(one["number"]) for one in there[2:]] == pytest.approx(
        [abs(one["number"]) for one in back[2:]], nan_ok=True
    )


def numbers_in(found):
    return [number.lstrip("+-") for one in found for number in NUMBER.findall(one["sentence"])]


# ---------------------------------------------------------------- each number is computed


def shown_numbers(sentence, ours=()):
    """The numbers that a sentence shows, without what belongs to names, facts, dates and levels."""
    for name in ours:
        sentence = sentence.replace(name, "")
    sentence = DAY.sub("", sentence).replace("95%", "")
    return [number.replace(",", "") for number in NUMBER.findall(sentence)]


def is_one_of(shown, computed):
    """Whether a number is one of those, as it is or in percent, rounded to the places that are shown."""
    half = 0.5 * 10.0 ** -len(shown.partition(".")[2]) * (1 + 1e-9)
    value = abs(float(shown))
    return any(abs(abs(one) * scale - value) <= half for one in computed for scale in (1, 100) if math.isfinite(one))


@pytest.mark.parametrize(("seed", "rho"), [(0, 0.8), (1, -0.3), (2, 0.0)])
def test_each_number_of_the_own_sentences_is_one_that_compare_computes(seed, rho):
    a, b = linked_pair(400, rho, seed)
    pair = asked(a, b)
    found = compared(a, b)
    computed = [reading.value for reading in found] + [pair.n, found["observations"], found["return_gap"]]
    whole = np.corrcoef(*(np.diff(x.series.closes) / x.series.closes[:-1] for x in (a, b)))[0, 1]
    for one in sentences(why.study(pair, NOBODY, {})):
        for number in shown_numbers(one["sentence"], ("AAA", "BBB")):
            assert is_one_of(number, [*computed, whole]), (number, one["sentence"])


def test_the_same_check_finds_a_number_that_nobody_has_computed():
    assert not is_one_of("0.34", [0.5, 12.0])
    assert is_one_of(".34", [0.3399])
    assert is_one_of("34.0", [-0.34])
    assert shown_numbers("over 6,597 returns .78 (95% interval .65 to .86) from 2000-08-25") == [
        "6597",
        ".78",
        ".65",
        ".86",
    ]


def test_the_last_sentence_but_those_of_doubt_says_from_when_to_when():
    found = text(why.study(asked(*linked_pair(200)), NOBODY, {}))
    first = builders.weekdays(201)[0].item()
    assert any(f"200 common returns from {first} to {date(2026, 11, 20)}" in one for one in found)


def test_a_leg_of_the_users_own_is_told_by_what_the_user_says():
    mine = instruments.parsed(
        {"instruments": [{"symbol": "AAA", "asset_class": "bond", "fact": "holds my 3 bonds"}]}, "x"
    )
    assert text(why.study(asked(*linked_pair(200)), mine, {}))[0].startswith("AAA holds my 3 bonds; its volatility is ")
    assert mine.get(Leg.parse("AAA")).kind == "bond"


# ---------------------------------------------------------------- the studies themselves


@pytest.fixture(scope="module")
def told():
    """A pair of 6 years, its real studies, and the sentences made of them."""
    pair = asked(*linked_pair(1500, 0.7, 5))
    return pair, {name: make(pair) for name, make in why.MAKES.items()}, why.study(pair, NOBODY)


def test_every_question_finds_its_sentence_and_its_number_in_the_studies(told):
    _, _, found = told
    quoted = [one for one in sentences(found) if " compare " not in one["from"]]
    assert [one["topic"] for one in quoted] == [
        "relation",
        "relation",
        "who leads",
        "regimes",
        "regimes",
        "regimes",
        "reversion",
        "reversion",
        "the gap",
        "hedge",
        "hedge",
        "analogs",
    ]
    assert all(math.isfinite(one["number"]) for one in quoted)


PLACES = {
    ("correlation", 0): r"^correlation ",
    ("correlation", 1): r"structural break",
    ("correlation", 2): r"breakdown",
    ("correlation", 3): r"^volatility low ",
    ("lead", 0): r"^whole history",
    ("spread", 0): r"cointegrated",
    ("spread", 1): r"^the ratio",
    ("hedge", 0): r"hedge|gain from a ratio|out of sample",
    ("analogs", 0): r"^z of the spread",
}


def test_each_finding_that_is_quoted_is_the_one_that_is_meant(told):
    _, studies, _ = told
    assert {(asked.name, asked.place) for asked in ASKED} == set(PLACES)
    for (name, place), words in PLACES.items():
        assert re.search(words, studies[name].findings[place]), (name, place, studies[name].findings)


def test_every_row_whose_number_is_quoted_is_there(told):
    pair, studies, _ = told
    for asked in ASKED:
        if asked.column != "#":
            rows = list(studies[asked.name][asked.section].records())
            assert any(str(next(iter(row.values()))).startswith(asked.row.format(bars=pair.bars)) for row in rows), (
                asked
            )
            assert asked.column in rows[0], asked


def test_a_finding_without_its_row_is_not_quoted():
    makes = {"correlation": fake("correlation", "r .5", "break 1", "breakdowns 1", "up and down days 1")}
    found = text(why.study(asked(*linked_pair(200)), NOBODY, makes))
    assert "up and down days 1." not in found
    assert "breakdowns 1." in found


def test_the_findings_are_the_numbers_of_the_sentences(told):
    _, _, found = told
    near, tested, hedged = found.findings
    first = {}
    for one in sentences(found):
        first.setdefault(one["topic"], one["number"])
    r = next(one["number"] for one in sentences(found) if one["sentence"].startswith("correlation"))
    assert is_one_of(shown_numbers(near, ("AAA", "BBB"))[1], [r])
    assert is_one_of(shown_numbers(near, ("AAA", "BBB"))[2], [first["the gap"]])
    tests = shown_numbers(tested, ("AAA", "BBB"))
    assert is_one_of(tests[0], [first["who leads"]])
    assert is_one_of(tests[-1], [first["reversion"]])
    assert is_one_of(shown_numbers(hedged, ("AAA", "BBB"))[0], [first["hedge"]])
    assert not any(finding.endswith(".") for finding in found.findings)
    assert not set(text(found)) & {f"{finding}." for finding in found.findings}


TESTED = {
    "whole history, 6,597 returns: no leader (p .82; a lead of .05 or more would have shown 4 times in 5)": (
        "no leader shows (p .82)"
    ),
    "whole history, 900 returns: AAA leads BBB by 2 bars (p .001); 95% interval of the lag at +2": (
        "AAA leads BBB by 2 bars (p .001)"
    ),
    "whole history, 900 returns: no verdict: AAA closes 6 h after BBB, and the clock alone can do it (p .03)": (
        "no verdict: AAA closes 6 h after BBB, and the clock alone can do it (p .03)"
    ),
}


@pytest.mark.parametrize("said", TESTED)
def test_a_headline_says_what_a_test_found_and_not_its_p_of_something(said):
    heading = Heading("verdict", "", "", (Column("span", "", "text", ""), Column("p_value", "", "probability", "")))
    makes = {"lead": lambda pair: pair.study("lead", (said,), (Section(heading, (("history", 0.82),)),))}
    found = why.study(asked(*linked_pair(200)), NOBODY, makes).findings
    assert f"over the whole history: {TESTED[said]}" in found


def test_a_headline_has_every_test_of_cointegration_and_what_they_come_to(told):
    _, studies, found = told
    verdict, _, tests = studies["spread"].findings[0].partition(": ")
    assert f"; {verdict} ({tests.partition(', over ')[0]})" in found.findings[1]
    assert all(name in found.findings[1] for name in ("Engle-Granger p ", " and ", "Johansen p "))
    assert "that they drift apart" not in found.findings[1]


def test_a_name_of_the_users_is_what_the_leg_is():
    mine = instruments.parsed({"instruments": [{"symbol": "AAA", "name": "my 1st book"}]}, "x")
    assert text(why.study(asked(*linked_pair(200)), mine, {}))[0].startswith("AAA is my 1st book; its volatility is ")
    bare = instruments.parsed({"instruments": [{"symbol": "AAA"}]}, "x")
    assert text(why.study(asked(*linked_pair(200)), bare, {}))[0].startswith("AAA has no name in the catalogue; ")


def test_what_is_not_said_of_a_leg_stands_in_no_contrast():
    given = [{"symbol": "AAA", "name": "x"}, {"symbol": "BBB", "asset_class": "bond", "tilt": "x", "region": "UK"}]
    found = text(why.study(asked(*linked_pair(200)), instruments.parsed({"instruments": given}, "x"), {}))
    assert any(one.startswith("over all 200 common returns") for one in found)


def test_rates_have_changes_and_no_returns():
    levels = 3 + 0.01 * np.cumsum(np.random.default_rng(1).standard_normal((2, 300)), axis=1)
    a, b = (history(x, symbol=s, measure="rate", unit="percent") for x, s in zip(levels, ("AAA", "BBB"), strict=True))
    found = why.study(asked(a, b), NOBODY, {"lead": too_short})
    said = [*found.findings, *(one["sentence"] for one in sentences(found) if one["topic"] != "who leads")]
    assert any("changes" in one for one in said)
    assert not any("return" in one for one in said)


def test_a_finding_whose_number_cannot_be_said_is_left_out():
    flat = history(np.full(201, 10.0), symbol="FLAT")
    found = why.study(asked(flat, linked_pair(200)[1]), NOBODY, {"lead": too_short})
    assert not any("nan" in finding or "correlation" in finding for finding in found.findings)
    assert len(found.findings) == 1


def test_a_simulated_leg_is_said_to_be_drawn_and_its_name_is_no_name():
    a, b = linked_pair(200)
    series = replace(a.series, facts=replace(a.series.facts, simulated=True, name="AAA leads by 2 bars"))
    said = text(why.study(asked(replace(a, series=series), b), NOBODY, {}))[0]
    assert said.startswith("AAA is drawn, not recorded (AAA leads by 2 bars); its volatility is ")


def test_a_study_that_has_a_brief_is_asked_for_no_more(monkeypatch):
    from pairwatch.studies import analogs

    monkeypatch.setattr(analogs, "brief", lambda pair: "in brief", raising=False)
    assert why.MAKES["analogs"](None) == "in brief"


def test_every_sentence_from_a_study_is_one_of_its_findings_or_made_of_its_rows(told):
    pair, studies, found = told
    for one in sentences(found):
        name, section = one["from"].split()[1], one["from"].partition(" --section ")[2]
        said = one["sentence"].removesuffix(".")
        if name == "compare" or said in [text.removesuffix(".") for text in studies[name].findings]:
            continue
        cells = [cell for row in studies[name][section or "now"].rows for cell in row if isinstance(cell, (int, float))]
        whole = float(np.corrcoef(pair.pair.a.returns, pair.pair.b.returns)[0, 1])
        for number in shown_numbers(said, ("AAA", "BBB")):
            assert is_one_of(number, [*cells, pair.bars, pair.n, whole]), (number, one)


def test_the_number_of_a_sentence_stands_in_it_or_in_the_section_that_it_names(told):
    _, studies, found = told
    for one in sentences(found):
        name, section = one["from"].split()[1], one["from"].partition(" --section ")[2]
        if is_shown(one["number"], one["sentence"]):
            continue
        cells = [cell for row in studies[name][section].rows for cell in row]
        assert one["number"] in cells, one


def is_shown(value, sentence):
    return any(is_one_of(number, [value]) for number in shown_numbers(sentence, ("AAA", "BBB")))


@pytest.mark.parametrize("n", [21, 30, 45, 70])
def test_studies_that_have_too_few_data_leave_sentences_with_numbers(n):
    found = sentences(why.study(asked(*linked_pair(n, 0.5, 1), window="20b"), NOBODY))
    assert any(" do not say " in one["sentence"] for one in found) or n > 30  # each study has a least of its own
    assert [one["sentence"] for one in found if not re.search(r"\d", one["sentence"])] == []
    assert "nan" not in " ".join(one["sentence"] for one in found)


def test_no_sentence_claims_a_cause(told):
    _, _, found = told
    causal = re.compile(r"\b(because|cause[sd]?|due to|drive[sn]?|drove|owing to|thanks to|leads to)\b")
    assert [one for one in text(found) if causal.search(one)] == []
