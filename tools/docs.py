"""The parts of the README that the program knows better: written by `make fix`, compared by `make check`.

Between `<!-- NAME -->` and `<!-- /NAME -->` stands what the function of that name returns.
"""

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from pairwatch import api, config, sources, stats
from pairwatch.cache import Cache
from pairwatch.cli import app
from pairwatch.cli.groups import DefaultGroup
from pairwatch.render import Page, writer

README = Path(__file__).parent.parent / "README.md"
NOW = 1_783_000_000.0  # some instant after SESSION_DAY; ages do not show in simulated legs
SESSION_DAY = "2026-06-30"


def session() -> str:
    """What the README's first command shows, on a fixed day."""
    nowhere = Cache(Path("/nonexistent/prices.db"))
    found = api.compare("demo:LEADER", "demo:FOLLOWER", as_of=SESSION_DAY, now=NOW, cache=nowhere)
    shown = writer("table")(found, Page(now=NOW, width=100))
    return f"```\n$ pairwatch compare demo:LEADER demo:FOLLOWER --as-of {SESSION_DAY}\n{shown}```"


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


PARTS = (session, commands, statistics, settings, legs)


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
