"""The command line: `tracker`."""

from __future__ import annotations

from collections.abc import Callable

import typer

from deploy.cli.assistants import mcp
from deploy.cli.changes import changes, transitions, upcoming
from deploy.cli.corpus import corpus
from deploy.cli.endpoint import endpoints
from deploy.cli.entry import Commands, begin, run_command_line
from deploy.cli.export import export
from deploy.cli.facts import facts
from deploy.cli.fetch import fetches
from deploy.cli.follow import follow
from deploy.cli.imports import import_, imports, schema, sources
from deploy.cli.key import keys
from deploy.cli.migrate import migrate
from deploy.cli.mirror import mirror
from deploy.cli.query import query
from deploy.cli.rebuild import rebuild
from deploy.cli.redact import redact
from deploy.cli.relay import relay
from deploy.cli.restore import restore
from deploy.cli.review import review
from deploy.cli.serve import demo, serve
from deploy.cli.state_files import replay, snapshot
from deploy.cli.token import tokens
from deploy.cli.verify import verify
from deploy.cli.watch import watch

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Critical minerals: who allied with whom, what is under export control, who produces how
    much, now or on any past day.

    Every fact is an event with its source, and nothing recorded ever changes. Begin with
    `tracker demo`.

    Exit codes: 0 done, 1 refused (the input breaks a rule), 2 wrong usage, 3 the database can't be
    reached, is not there, has ended or is in use, 70 an error of the tracker itself, 130
    interrupted.""",
)
app.callback()(begin)

COMMANDS: tuple[Callable[..., None], ...] = (
    demo,
    serve,
    query,
    follow,
    snapshot,
    replay,
    migrate,
    redact,
    rebuild,
    relay,
    watch,
    changes,
    upcoming,
    transitions,
    facts,
    mcp,
    export,
    mirror,
    verify,
    restore,
    import_,
    sources,
    imports,
    schema,
)
for command in COMMANDS:
    app.command(name="import" if command is import_ else None)(command)
for group in (tokens, endpoints, review, keys, fetches, corpus):
    app.add_typer(group)


def main() -> None:
    """The entry point."""
    run_command_line(app)


if __name__ == "__main__":
    main()
