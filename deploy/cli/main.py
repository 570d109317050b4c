"""The command line: every command, by the module that defines it."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

import deploy.cli
from deploy.cli.entry import Commands, begin, run_command_line


class LazyCommand(TyperCommand):
    """A command, or a group of commands, whose module is imported on use."""

    def __init__(self, name: str, module: str, attribute: str):
        super().__init__(name)
        self._module, self._attribute = module, attribute

    def read_help(self) -> None:
        """Read the help from the source of the module."""
        self.help = self.help or help_in_source(self._module, self._attribute)

    def load(self) -> Any:
        """Import the module and return the command itself."""
        function_or_group = getattr(import_module(self._module), self._attribute)
        holder = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        holder.callback()(lambda: None)
        if isinstance(function_or_group, typer.Typer):
            holder.add_typer(function_or_group, name=self.name)
        else:
            holder.command(self.name)(function_or_group)
        group = typer.main.get_command(holder)
        assert isinstance(group, TyperGroup)
        return group.commands[self.name or ""]

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Create the context of the real command, which then runs instead of this one."""
        return self.load().make_context(*arguments, **options)


def help_in_source(module: str, attribute: str) -> str | None:
    """Return the docstring of a function, or the `help` argument of a group, in a module."""
    source = Path(deploy.cli.__path__[0], module.rpartition(".")[2]).with_suffix(".py").read_bytes()
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name=name) if name == attribute:
                return ast.get_docstring(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=keywords)):
                if name == attribute:
                    text: str = next(ast.literal_eval(k.value) for k in keywords if k.arg == "help")
                    return text
    raise LookupError(f"{module} defines no {attribute}")


COMMANDS = {
    "demo": ("deploy.cli.serve", "demo"),
    "serve": ("deploy.cli.serve", "serve"),
    "query": ("deploy.cli.query", "query"),
    "receipt": ("deploy.cli.receipt", "receipt"),
    "follow": ("deploy.cli.follow", "follow"),
    "snapshot": ("deploy.cli.state_files", "snapshot"),
    "replay": ("deploy.cli.state_files", "replay"),
    "doctor": ("deploy.cli.doctor", "doctor"),
    "migrate": ("deploy.cli.migrate", "migrate"),
    "redact": ("deploy.cli.redact", "redact"),
    "rebuild": ("deploy.cli.rebuild", "rebuild"),
    "relay": ("deploy.cli.relay", "relay"),
    "watch": ("deploy.cli.watch", "watch"),
    "changes": ("deploy.cli.changes", "changes"),
    "upcoming": ("deploy.cli.changes", "upcoming"),
    "transitions": ("deploy.cli.changes", "transitions"),
    "digest": ("deploy.cli.digest", "digest"),
    "check": ("deploy.cli.check", "check"),
    "facts": ("deploy.cli.facts", "facts"),
    "mcp": ("deploy.cli.assistants", "mcp"),
    "export": ("deploy.cli.export", "export"),
    "mirror": ("deploy.cli.mirror", "mirror"),
    "publish": ("deploy.cli.publish", "publish"),
    "verify": ("deploy.cli.verify", "verify"),
    "restore": ("deploy.cli.restore", "restore"),
    "import": ("deploy.cli.imports", "import_"),
    "sources": ("deploy.cli.imports", "sources"),
    "imports": ("deploy.cli.imports", "imports"),
    "schema": ("deploy.cli.imports", "schema"),
    "token": ("deploy.cli.token", "tokens"),
    "endpoint": ("deploy.cli.endpoint", "endpoints"),
    "alerts": ("deploy.cli.alerts", "alerts"),
    "review": ("deploy.cli.review", "review"),
    "key": ("deploy.cli.key", "keys"),
    "fetch": ("deploy.cli.fetch", "fetches"),
    "corpus": ("deploy.cli.corpus", "corpus"),
    "texts": ("deploy.cli.texts", "texts"),
}
"""Commands and groups in the order of the help: module, and name of the function or group."""


class LazyCommands(Commands):
    """The commands above; each module is imported on use."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        for name, (module, attribute) in COMMANDS.items():
            self.add_command(LazyCommand(name, module, attribute))

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands and read their help, which is shown next."""
        for command in self.commands.values():
            if isinstance(command, LazyCommand):
                command.read_help()
        return super().list_commands(ctx)


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Critical minerals: alliances, export controls and production, today or on any past day.

    Every fact is an immutable event with its source. Start with `tracker demo`.

    Exit codes: 0 done, 1 refused (the input breaks a rule), 2 wrong usage, 3 the database is
    unreachable, missing, stopped or in use, 70 an error of the tracker itself, 130
    interrupted.""",
)
app.callback()(begin)


def main() -> None:
    """Run the command line."""
    run_command_line(app)


if __name__ == "__main__":
    main()
