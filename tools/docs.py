"""The parts of the README that the program knows better: written by `make fix`, compared by `make check`.

Between `<!-- NAME -->` and `<!-- /NAME -->` stands what the function of that name returns.
"""

import io
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from pairwatch import api, config, pairs, sources, stats, studies
from pairwatch import digest as digests
from pairwatch.cache import Cache
from pairwatch.cli import app
from pairwatch.cli.groups import DefaultGroup
from pairwatch.histories import History
from pairwatch.model import Window
from pairwatch.receipts import as_of
from pairwatch.render import Page, writer
from pairwatch.render.digest import as_text
from pairwatch.snapshots import Store, Taken
from pairwatch.staging import Question

README = Path(__file__).parent.parent / "README.md"
NOW = 1_783_000_000.0  # some instant after SESSION_DAY; ages do not show in simulated legs
SESSION_DAY = "2026-06-30"


def session() -> str:
    """What the README's first command shows, on a fixed day."""
    nowhere = Cache(Path("/nonexistent/prices.db"))
    found = api.compare("demo:LEADER", "demo:FOLLOWER", as_of=SESSION_DAY, now=NOW, cache=nowhere)
    shown = writer("table")(found, Page(now=NOW, width=100))
    return f"```\n$ pairwatch compare demo:LEADER demo:FOLLOWER --as-of {SESSION_DAY}\n{shown}```"


def digest() -> str:
    """What the digest shows after some weeks of snapshots of simulated legs."""
    asked = api.question(as_of=SESSION_DAY, max_lag=5, now=NOW)
    desk = api.desk_at(Cache(Path("/nonexistent/prices.db")), asked, now=NOW)
    names = (("LEADER", "FOLLOWER"), ("TWIN1", "TWIN2"), ("BREAK1", "BREAK2"), ("WEEK7", "WEEK5"))
    chosen = [api.pair(f"demo:{a}", f"demo:{b}") for a, b in names]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "snapshots.db")
        for a, b in chosen:
            for taken in _evenings([desk.history(leg) for leg in (a, b)], asked):
                store.append(taken)
        found = digests.digest(store, dict.fromkeys(chosen, asked), Window.parse("7d"), NOW)
    return f"```\n$ pairwatch digest --since 7d\n{as_text(found, Page(now=NOW, width=80))}```"


def _evenings(sides: list[History], asked: Question) -> Iterator[Taken]:
    """What a run would have stored on each of thirty evenings."""
    for day in sides[0].series.as_of(asked.as_of).dates[-30:].tolist():
        then = replace(asked, as_of=day)
        a, b = (as_of(side, day) for side in sides)
        yield Taken(pairs.compare(a, b, then), then, a, b, datetime.combine(day, time(22), UTC).timestamp())


def commands() -> str:
    """Every command with its help's first sentence."""
    rows = _walk(typer.main.get_command(app), "pairwatch")
    return _table(("command", "what it does"), [(f"`{name}`", text) for name, text in rows])


def _walk(command: Any, path: str) -> list[tuple[str, str]]:
    own = [_row(command.default, path)] if isinstance(command, DefaultGroup) else []
    if not isinstance(command, TyperGroup):
        return [_row(command, path)]
    inside = [(name, command.get_command(None, name)) for name in command.list_commands(None)]
    return [*own, *(row for name, child in inside for row in _walk(child, f"{path} {name}"))]


def _row(command: Any, path: str) -> tuple[str, str]:
    words = [param.human_readable_name for param in command.params if param.param_type_name == "argument"]
    text = (command.help or "").partition("\n\n")[0]
    return " ".join([path, *words]), " ".join(text.split())


def statistics() -> str:
    """The catalogue, in its order."""
    rows = [(f"`{s.key}`", s.scope, s.unit, f"{s.meaning}.", f"`{s.formula}`") for s in stats.entries()]
    return _table(("key", "of", "unit", "meaning", "formula"), rows)


def sections() -> str:
    """What the studies say, section by section."""
    rows = [
        (f"`{name}.{heading.key}`", heading.meaning) for name in studies.NAMES for heading in studies.headings(name)
    ]
    return _table(("section", "what it says"), rows)


def settings() -> str:
    """Every setting of the configuration file and the environment."""
    rows = [
        (f"`{s.key}`", f"`{config.PREFIX}{s.key.upper()}`", f"`{s.default}`" if s.default else "", s.help)
        for s in config.SETTINGS
    ]
    return _table(("setting", "variable", "default", "meaning"), rows)


def legs() -> str:
    """The sources, with an example of each."""
    rows = [(name, f"`{about.example}`", about.gives) for name in sources.names() for about in [sources.about(name)]]
    return _table(("source", "for example", "what it gives"), rows)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in cells)


PARTS = (session, commands, digest, statistics, sections, settings, legs)


def written(text: str) -> str:
    """The README with every generated part made anew."""
    for part in PARTS:
        name = part.__name__
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no place for {name}")
        with redirect_stdout(io.StringIO()):
            made = part()
        text = pattern.sub(lambda found, made=made: f"{found[1]}{made}\n{found[2]}", text)
    return text


def main() -> None:
    """Write the README, or with --check say whether it is up to date."""
    old = README.read_text("utf-8")
    new = written(old)
    if "--check" in sys.argv[1:]:
        if new != old:
            raise SystemExit("README.md is not what the program says\nhint: make fix")
        print("README.md is up to date")
    elif new != old:
        README.write_text(new, "utf-8")


if __name__ == "__main__":
    main()
