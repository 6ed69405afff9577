"""The sentences of `why` that other studies have written, and those that are made of their rows."""

import math
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import NamedTuple

from pairwatch.errors import NotEnoughData, UsageError
from pairwatch.model import NAN, Cell, Study
from pairwatch.studies.paired import Paired
from pairwatch.studies.why.own import GAP, RELATION, Said, noun
from pairwatch.text import plural

LEAD, REGIMES, REVERSION, HEDGE, ANALOGS = "who leads", "regimes", "reversion", "hedge", "analogs"
# So many of the days that made the gap are named.
DAYS = 3

Make = Callable[[Paired], Study]


class Asked(NamedTuple):
    """A question that another study answers with one of its findings.

    Attributes:
        question: what cannot be answered where there are too few data; empty for what is said beside an answer.
        place: of the finding among the study's, whose order is theirs to keep: `test_why.py` holds them to it.
        section, row, column: where the number of the answer stands: how its row begins, in which `{bars}` is the
            window's; without a row the first one. The column `#` is how many rows there are.
    """

    topic: str
    name: str
    question: str = ""
    place: int = 0
    section: str = ""
    row: str = ""
    column: str = ""


ASKED = (
    Asked(RELATION, "correlation", "how correlation moves through regimes", 0, "now", "{bars} bars", "r"),
    Asked(LEAD, "lead", "whether one leads", 0, "verdict", "", "p_value"),
    Asked(REGIMES, "correlation", "", 3, "regimes", "volatility low", "p"),
    Asked(REGIMES, "correlation", "", 1, "break", "", "p"),
    Asked(REGIMES, "correlation", "", 2, "breakdowns", "", "#"),
    Asked(REVERSION, "spread", "whether the spread returns to its mean", 0, "cointegration", "trace, r = 0", "p"),
    Asked(REVERSION, "spread", "", 1, "spreads", "", "p"),
    Asked(HEDGE, "hedge", "whether one hedges the other", 0, "out_of_sample", "", "effectiveness"),
    Asked(ANALOGS, "analogs", "what followed when they were as far apart", 0, "after", "20 bars", "median"),
)


def _made(name: str) -> Make:
    def make(pair: Paired) -> Study:
        # By name: a study brings its kernels along. One that has much to compute of which nothing is said here has a
        # `brief` beside its `study`, with the same findings and sections as far as `ASKED` has them.
        module = import_module(f"pairwatch.studies.{name}")
        found: Study = getattr(module, "brief", module.study)(pair)
        return found

    return make


MAKES: Mapping[str, Make] = {name: _made(name) for name in dict.fromkeys(asked.name for asked in ASKED)}


def answered(make: Make, pair: Paired) -> Study | str:
    """A study, or why it cannot say anything of the pair."""
    try:
        return make(pair)
    except (NotEnoughData, UsageError) as error:
        return error.message


def quoted(answers: Mapping[str, Study | str], pair: Paired) -> Iterator[Said]:
    """The answers of the studies, as they have them."""
    for asked in ASKED:
        answer = answers.get(asked.name)
        if isinstance(answer, str) and asked.question:
            text = f"{plural(pair.n, f'common {noun(pair)}')} do not say {asked.question}: {answer}"
            yield Said(asked.topic, text, NAN, "", asked.name)
        elif isinstance(answer, Study):
            number = _number(asked, answer, pair.bars)
            # What stands beside an answer is said only where there is a number of it.
            if asked.place < len(answer.findings) and not (asked.place and math.isnan(number[0])):
                yield Said(asked.topic, answer.findings[asked.place], *number, asked.name, asked.section)


def of_rows(answers: Mapping[str, Study | str], pair: Paired) -> Iterator[Said]:
    """What the rows of the studies say, beside their findings."""
    for name, tell in (("spread", _ledger), ("hedge", _other_way_round)):
        answer = answers.get(name)
        if isinstance(answer, Study):
            yield from tell(answer, pair)


def _number(asked: Asked, answer: Study, bars: int) -> tuple[float, str]:
    """The number of the answer, where it stands in the study, and its unit; NaN where it does not."""
    records = _records(answer, asked.section)
    if asked.column == "#":
        return float(len(records)), "count"
    units = {c.key: c.unit for one in answer.sections if one.heading.key == asked.section for c in one.heading.columns}
    for record in records:
        if str(next(iter(record.values()))).startswith(asked.row.format(bars=bars)):
            value, unit = record.get(asked.column), units.get(asked.column, "")
            number = float(value) if isinstance(value, int | float) else NAN
            return number, str(record.get("unit", "")) if unit == "unit" else unit
    return NAN, ""


def _ledger(spread: Study, pair: Paired) -> Iterator[Said]:
    """The days that made the gap."""
    rows = [row for row in _records(spread, "ledger") if row["moved"]][:DAYS]
    days = [(row, float(row["contribution"])) for row in rows if isinstance(row["contribution"], int | float)]
    if days:
        told = ", ".join(f"{row['day']} {_change(part, row['unit'])} ({row['moved']})" for row, part in days)
        text = f"the largest parts of the gap, of {plural(pair.bars, 'bar')}: {told}"
        yield Said(GAP, text, days[0][1], str(days[0][0]["unit"]), "spread", "ledger")


def _other_way_round(hedge: Study, pair: Paired) -> Iterator[Said]:
    """What the hedge with the legs exchanged would have done."""
    a, b = pair.legs
    for row in _records(hedge, "out_of_sample"):
        share = row["effectiveness"]
        if row["hedge"] == "the other way round" and isinstance(share, float) and math.isfinite(share):
            takes = f"takes away {share:.0%} of" if share > 0 else f"adds {-share:.0%} to"
            text = f"the other way round {a} {takes} {b}'s variance out of sample"
            yield Said(HEDGE, text, share, "fraction", "hedge", "out_of_sample")


def _records(found: Study, section: str) -> list[dict[str, Cell]]:
    return [record for one in found.sections if one.heading.key == section for record in one.records()]


def _change(value: float, unit: Cell) -> str:
    return f"{100 * value:+.2f}%" if unit in ("return", "fraction") else f"{value:+.1f} {unit}"
