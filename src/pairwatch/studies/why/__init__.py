"""What the numbers say of a pair, in plain sentences: what `compare` and the other studies have found, in order.

Each sentence has a number, and each number is one that a command computes: `from` says which.
"""

from collections.abc import Mapping, Sequence

from pairwatch.model import Column, Heading, Section, Study
from pairwatch.studies.instruments import Catalogue
from pairwatch.studies.paired import Paired
from pairwatch.studies.why import own
from pairwatch.studies.why.headlines import headlines
from pairwatch.studies.why.own import GAP, LEGS, RELATION, SURE, Said
from pairwatch.studies.why.quoted import (
    ANALOGS,
    HEDGE,
    LEAD,
    MAKES,
    REGIMES,
    REVERSION,
    Make,
    answered,
    of_rows,
    quoted,
)

TOPICS = (LEGS, RELATION, LEAD, REGIMES, REVERSION, GAP, HEDGE, ANALOGS, SURE)

SENTENCES = Heading(
    "sentences",
    "what the numbers say",
    "Sentences made of numbers, in the order of the questions: what the legs are, how they are related, who leads, how "
    "correlation moves, whether the spread returns, what made the gap, whether one is a hedge, what followed when they "
    "were as far apart, how sure all that is.",
    (
        Column("topic", "", "text", "What the sentence is about."),
        Column("number", "number", "unit", "The number that the sentence is about; empty where there is none to say."),
        Column("unit", "", "text", "What the number is counted in."),
        Column("from", "from", "text", "The command, and its section, that says more of it.", wide=True),
        Column("sentence", "sentence", "text", "The sentence; each number in it is one that the command computes."),
    ),
)
HEADINGS = (SENTENCES,)


def study(pair: Paired, catalogue: Catalogue, makes: Mapping[str, Make] = MAKES) -> Study:
    """The sentences of a pair.

    Args:
        makes: the other studies by name; one that has too few data becomes a sentence that says so.

    Raises:
        NotEnoughData: the window has too few returns.
    """
    known = own.values(pair)
    answers = {name: answered(make, pair) for name, make in makes.items()}
    silent = sum(isinstance(answer, str) for answer in answers.values())
    said = [
        *own.legs(pair, catalogue, known),
        *quoted(answers, pair),
        *own.relation(pair, catalogue, known, quoted=isinstance(answers.get("correlation"), Study)),
        *own.gap(pair, known),
        *of_rows(answers, pair),
        *own.sure(pair, known, silent, len(answers)),
    ]
    said.sort(key=lambda one: TOPICS.index(one.topic))
    rows = tuple(_row(one, pair) for one in said)
    findings = headlines(pair, {one.topic: one for one in reversed(said)}, known)
    warnings = tuple(text for answer in answers.values() if isinstance(answer, Study) for text in answer.warnings)
    return pair.study("why", findings, (Section(SENTENCES, rows, (_where(said, pair),)),), warnings)


def _row(said: Said, pair: Paired) -> tuple[str, float, str, str, str]:
    a, b = pair.legs
    command = f"pairwatch {said.command} {a} {b}{f' --section {said.section}' if said.section else ''}"
    return said.topic, said.number, said.unit, command, f"{said.sentence.rstrip('.')}."


def _where(said: Sequence[Said], pair: Paired) -> str:
    """Where the sentences come from, for tables that have no room for that column."""
    a, b = pair.legs
    names = ", ".join(dict.fromkeys(one.command for one in said))
    return f"in full: pairwatch COMMAND {a} {b}, where COMMAND is one of {names}"
