import sys
from importlib import import_module
from typing import Annotated

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from pairwatch.cli import Commands
from pairwatch.cli.groups import DEFAULT, DefaultGroup, LazyGroup, plain

# ---------------------------------------------------------------- commands that are loaded when they are invoked


def described(command):
    """The first line of a command's docstring, or of its group's."""
    return (command.help or "").splitlines()[0]


@pytest.mark.parametrize("name", Commands.table)
def test_the_table_says_what_the_command_says_of_itself(name):
    module, line = Commands.table[name]
    assert described(get_command(import_module(module).app)) == line


MODULE = """
from pairwatch.cli.groups import plain
app = plain()

@app.command()
def hello(name: str = "you") -> None:
    '''Greet somebody.'''
    print("hello", name)
"""


@pytest.fixture
def lazy(tmp_path, monkeypatch):
    """A program with one command in a module that has not been imported yet."""
    (tmp_path / "lazy_hello.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)

    class Table(LazyGroup):
        table = {"hello": ("lazy_hello", "Greet somebody."), "missing": ("lazy_missing", "There is no module.")}  # noqa: RUF012

    app = typer.Typer(cls=Table, rich_markup_mode=None, add_completion=False)
    app.callback()(lambda: None)
    yield app
    sys.modules.pop("lazy_hello", None)


def test_help_lists_a_command_without_loading_it(lazy):
    done = CliRunner().invoke(lazy, ["--help"])
    assert done.exit_code == 0
    assert "hello    Greet somebody." in done.output
    assert "missing  There is no module." in done.output
    assert "lazy_hello" not in sys.modules


def test_a_command_is_loaded_when_it_is_invoked(lazy):
    assert CliRunner().invoke(lazy, ["hello", "--name", "me"]).output == "hello me\n"
    assert "lazy_hello" in sys.modules


def test_a_command_that_is_none_is_suggested_one_without_loading_any(lazy):
    done = CliRunner().invoke(lazy, ["hallo"])
    assert done.exit_code == 2
    assert "Did you mean 'hello'?" in done.output
    assert "lazy_hello" not in sys.modules


# ---------------------------------------------------------------- a group with a default command


def toy():
    """`toy [A] [--b B] [-q]`, `toy export FILE` and `toy path`."""
    app = plain(DefaultGroup)

    @app.command(DEFAULT)
    def take(
        a: Annotated[str, typer.Argument()] = "", b: str = "", *, quiet: Annotated[bool, typer.Option("-q")] = False
    ):
        """Take a snapshot.

        Of one pair, or of all.
        """
        typer.echo(f"take {a or None} {b or None} {quiet}")

    @app.command()
    def export(file: str):
        """Write all to a file."""
        typer.echo(f"export {file}")

    @app.command()
    def path():
        """Say where it is."""
        typer.echo("path")

    return app


def inside(app, **settings):
    """The same as a command of a greater program."""
    outer = typer.Typer(rich_markup_mode=None, **{"add_completion": False, **settings})
    outer.callback()(lambda: None)
    outer.add_typer(app, name="toy")
    return outer


@pytest.fixture(params=["alone", "inside"])
def invoke(request):
    """The toy as a whole program, or as a command of one."""
    app, first = (toy(), []) if request.param == "alone" else (inside(toy()), ["toy"])
    return lambda *args: CliRunner().invoke(app, [*first, *args], prog_name="toy" if not first else "outer")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "take None None False"),
        (("-q",), "take None None True"),
        (("A",), "take A None False"),
        (("A", "--b", "B"), "take A B False"),
        (("-q", "A"), "take A None True"),
        (("A", "-q"), "take A None True"),
        (("A", "export"), None),
        (("export", "x.csv"), "export x.csv"),
        (("path",), "path"),
        (("--", "export"), "take export None False"),
        (("--", "--help"), "take --help None False"),
        (("default",), "take default None False"),
    ],
    ids=str,
)
def test_what_begins_with_no_command_is_the_defaults(invoke, args, said):
    done = invoke(*args)
    assert done.exit_code == (2 if said is None else 0)
    assert said is None or done.output == f"{said}\n"


@pytest.mark.parametrize("args", [("--help",), ("-q", "--help"), ("A", "--help")], ids=" ".join)
def test_its_help_shows_the_defaults_options_and_the_other_commands(invoke, args):
    done = invoke(*args)
    assert done.exit_code == 0
    first, second, *rest = done.output.splitlines()
    assert first.startswith("Usage: ")
    assert first.endswith("toy [OPTIONS] [a]")
    assert second.endswith("toy COMMAND [ARGS]...")
    assert "Take a snapshot." in done.output
    assert "Of one pair, or of all." in done.output
    for word in ("Options:", "  -q", "Commands:", "  export  Write all to a file.", "  path    Say where it is."):
        assert any(line.startswith(word) for line in rest), word
    assert done.output.count("--help") == 1
    assert DEFAULT not in done.output


def test_another_commands_help_is_its_own(invoke):
    done = invoke("export", "--help")
    assert done.exit_code == 0
    assert "Write all to a file." in done.output
    assert "-q" not in done.output


def test_a_wrong_option_is_told_with_the_groups_own_path():
    done = CliRunner().invoke(inside(toy()), ["toy", "--nonsense"], prog_name="outer")
    assert done.exit_code == 2
    assert "Usage: outer toy [OPTIONS] [a]" in done.output
    assert DEFAULT not in done.output


def completed(*words):
    """What a shell offers for the last word."""
    environ = {
        "_OUTER_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["outer", *words]),
        "COMP_CWORD": str(len(words)),
    }
    done = CliRunner().invoke(inside(toy(), add_completion=True), [], prog_name="outer", env=environ)
    return done.output.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("toy", "ex"), ["export"]),
        (("toy", ""), ["export", "path"]),
        (("toy", "--"), ["--help", "--b"]),
        (("toy", "A", "--"), ["--b", "--help"]),
        (("toy", "path", "--"), ["--help"]),
    ],
    ids=str,
)
def test_a_shell_completes_commands_and_the_defaults_options(words, offered):
    assert sorted(completed(*words)) == sorted(offered)


def test_it_is_a_group_for_whoever_walks_the_commands():
    group = get_command(toy())
    assert isinstance(group, TyperGroup)
    assert group.list_commands(None) == ["export", "path"]
    assert group.default.name == DEFAULT
