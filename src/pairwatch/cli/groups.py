"""Groups of commands: one whose commands are loaded when they are invoked, and one that has a default command."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

# The name under which a `DefaultGroup` is given its default command; nobody can type it.
DEFAULT = "default"
_HELP = ("-h", "--help")


def plain(cls: type[TyperGroup] = TyperGroup) -> typer.Typer:
    """An app for a command's module: help in plain text, errors left to the program, no completion of its own.

    One command makes it that command; a callback, or several commands, make it a group.
    """
    return typer.Typer(
        cls=cls, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
    )


class LazyGroup(TyperGroup):
    """A group whose commands are known by a table; a subclass sets it.

    A command's module is imported, and its parameters are looked at, when the command is invoked or asked for its own
    help; the group's help is made from the table alone. The module's `app` is the command.
    """

    table: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """By the command's name: its module, and the first line of its help."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = dict.fromkeys(self.table)  # type: ignore[assignment]  # for the names, to suggest one of them

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - Typer's signature
        """Load the command if it is one of ours."""
        if cmd_name in self.table and self.commands[cmd_name] is None:
            app: typer.Typer = import_module(self.table[cmd_name][0]).app
            self.commands[cmd_name] = get_command(app)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands as a group of them would, without loading any."""
        listed = [TyperCommand(name, help=line) for name, (_, line) in self.table.items()]
        TyperGroup(commands=listed).format_commands(ctx, formatter)


class DefaultGroup(TyperGroup):
    """A group with a default command, which takes all arguments when the first is none of the other commands.

    The default command is the one registered as `DEFAULT`. The group's help is that command's, and lists the others.
    An argument that has a command's name reaches the default after `--`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.default: Any = self.commands.pop(DEFAULT)
        self.help = self.help or self.default.help

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Hand the arguments to whom they are for: the context may be the default command's."""
        options = args[: args.index("--")] if "--" in args else args
        if args and args[0] in self.commands:
            return super().make_context(info_name, args, parent, **extra)
        if any(word in _HELP for word in options):
            return super().make_context(info_name, ["--help"], parent, **extra)
        if extra.get("resilient_parsing") and not args:  # a shell that completes the first word
            return super().make_context(info_name, args, parent, **extra)
        return self.default.make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Invoke whom `make_context` has chosen; a group that is the whole program is handed the default's context."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Both ways to use it."""
        self.default.format_usage(self._of_default(ctx), formatter)
        formatter.write_usage(ctx.command_path, self.subcommand_metavar, " " * len("Usage: "))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The default's arguments and options, then the other commands."""
        self.default.format_options(self._of_default(ctx), formatter)
        self.format_commands(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """What the first word may be: a command, or an option of the default."""
        every = [*super().shell_complete(ctx, incomplete), *self.default.shell_complete(ctx, incomplete)]
        return list({item.value: item for item in every}.values())

    def _of_default(self, ctx: Any) -> typer.Context:
        return typer.Context(self.default, info_name=ctx.info_name, parent=ctx.parent)
