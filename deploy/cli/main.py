"""The command line: every command, by the module that defines it."""

from typing import Any

import typer

from deploy.cli.entry import Commands, begin, run_command_line
from deploy.cli.lazy_command import LazyCommand

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
