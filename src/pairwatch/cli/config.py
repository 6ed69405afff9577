"""`pairwatch config`."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from pairwatch import writing
from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import UsageError

if TYPE_CHECKING:
    from pairwatch.config import RuleText

HEADER = ("setting", "value", "origin")
# What is said of a secret in place of what it is.
SET, NOT_SET = "set", "not set"

Row = tuple[str, str, str]

app = plain()


@app.callback()
def config() -> None:
    """Where settings come from."""


@app.command()
def show(csv: options.AsCsv = False, json: options.AsJson = False) -> None:
    """Print every setting, its value, and where the value comes from, as CSV.

    So is what the configuration file has beside settings: stand-ins, units, rules, mail; of the watch list how long it
    is; and of a key or a password whether it is set, and where, never what it is. Exit 2 if some of it cannot be read.
    """
    form = results.form(csv=csv, json=json, typed=None)
    values = world.resolved({})
    rows = [(v.key, v.text, v.origin) for v in values.values()]
    troubles = []
    for section in _sections(values["source"].value):
        try:
            rows += section()
        except UsageError as error:
            troubles.append(error)
    _write([(key, results.shown(text), results.shown(origin)) for key, text, origin in rows], form)
    if troubles:
        words.complain_once(troubles)
        raise typer.Exit(UsageError.exit_code)


def _write(rows: list[Row], form: str | None) -> None:
    if form != "json":
        results.write_csv(HEADER, rows)
        return
    from json import dumps

    writing.to_stdout(dumps([dict(zip(HEADER, row, strict=True)) for row in rows], indent=2) + "\n")


# ---------------------------------------------------------------- what the file has beside settings


def _sections(source: str) -> Iterable[Callable[[], list[Row]]]:
    """What reads each section; one that cannot be read keeps nobody from seeing the others."""
    path = world.config_file()
    file, name = world.parsed(path), str(path)
    return (
        lambda: list(_counts(file, name)),
        lambda: list(_rules(file, name)),
        lambda: list(_mail(file, name)),
        lambda: list(_units(file, name, source)),
        lambda: list(_fallback(file, name, source)),
        lambda: list(_keys(file, name)),
    )


def _counts(file: Mapping[str, Any], name: str) -> Iterator[Row]:
    """How long the lists are that have commands, or studies, of their own."""
    from pairwatch import config
    from pairwatch.text import clean, plural

    if "watchlist" in file:
        yield "watchlist", plural(len(config.watch_list(file, name)), "pair"), name
    for section in ("episodes", "instruments"):
        entries = file.get(section, ())
        if not isinstance(entries, list | tuple):
            raise UsageError(f"{clean(name, 200)}: {section} is no list", f"write it as [[{section}]]")
        if section in file:
            yield section, plural(len(entries), "entry"), name


def _rules(file: Mapping[str, Any], name: str) -> Iterator[Row]:
    from pairwatch import config

    for rule in config.rules(file, name):
        yield f"rules.{rule.name}", "; ".join(_parts(rule)), name


def _parts(rule: "RuleText") -> Iterator[str]:
    from pairwatch.text import age, plural

    yield f"when {rule.when}"
    if rule.until:
        yield f"until {rule.until}"
    yield f"lasting {plural(rule.lasting, 'session')}"
    yield f"cooldown {age(rule.cooldown)}"
    yield ", ".join(f"{a} {b}" for a, b in rule.pairs) or "the whole watch list"


def _mail(file: Mapping[str, Any], name: str) -> Iterator[Row]:
    from pairwatch import config

    found = config.mail(file, name)
    if "mail" in file:
        keys = {"from": "sender", "to": "recipient"}
        texts = {key: str(getattr(found, keys.get(key, key))) for key in ("host", "port", "security", "user", *keys)}
        yield from ((f"mail.{key}", text, name if key in file["mail"] else "default") for key, text in texts.items())
    if os.environ.get(config.PASSWORD_VARIABLE):
        yield "mail.password", SET, config.PASSWORD_VARIABLE
    elif found.password:
        yield "mail.password", SET, name


def _units(file: Mapping[str, Any], name: str, source: str) -> Iterator[Row]:
    from pairwatch import config

    texts = {
        leg: str(text)
        for leg, text in zip(config.units(file, name, source), file.get("units", {}).values(), strict=True)
    }
    yield from ((f"units.{leg}", text, name) for leg, text in texts.items())


def _fallback(file: Mapping[str, Any], name: str, source: str) -> Iterator[Row]:
    """Each leg with those that are tried in its stead, in full: source, symbol and a file's whole path."""
    from pairwatch import config

    for leg, chain in config.fallback(file, name, source).items():
        yield f"fallback.{leg}", ", ".join(f"{each.source}:{each.symbol}" for each in chain), name


def _keys(file: Mapping[str, Any], name: str) -> Iterator[Row]:
    """Each key that the sources know, and those of plug-ins that the file has; the keyring stays shut."""
    from importlib.util import find_spec

    from pairwatch import config, sources

    in_file = SET if not world.keys().refused else f"{SET}, not used: others can read the file"
    given = {str(key) for key in file.get("keys", {})}
    variables = [variable for source in sources.names() for variable in sources.about(source).keys]
    known = {config.name_in_file(variable): variable for variable in variables}
    for key in (*known, *sorted(given - known.keys())):
        if os.environ.get(known.get(key, "")):
            yield f"keys.{key}", SET, known[key]
        elif key in given:
            yield f"keys.{key}", in_file, name
        else:
            yield f"keys.{key}", f"{NOT_SET}, unless in the keyring" if find_spec("keyring") else NOT_SET, "default"
