"""The command line: `tracker`."""

from __future__ import annotations

import typer

from deploy.cli import audit, imports
from deploy.cli.assistants import mcp
from deploy.cli.changes import changes, transitions, upcoming
from deploy.cli.corpus import corpus
from deploy.cli.endpoint import endpoints
from deploy.cli.entry import Commands, begin, run_command_line
from deploy.cli.facts import facts
from deploy.cli.fetch import fetches
from deploy.cli.follow import follow
from deploy.cli.key import keys
from deploy.cli.migrate import migrate
from deploy.cli.query import query
from deploy.cli.rebuild import rebuild
from deploy.cli.redact import redact
from deploy.cli.relay import relay
from deploy.cli.review import review
from deploy.cli.serve import demo, serve
from deploy.cli.state_files import replay, snapshot
from deploy.cli.token import tokens
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

app.command()(demo)
app.command()(serve)
app.command()(query)
app.command()(follow)
app.command()(snapshot)
app.command()(replay)
app.command()(migrate)
app.add_typer(tokens)
app.add_typer(endpoints)
app.add_typer(review)
app.add_typer(keys)
app.add_typer(fetches)
app.add_typer(corpus)
app.command()(redact)
app.command()(rebuild)
app.command()(relay)
app.command()(watch)
app.command()(changes)
app.command()(upcoming)
app.command()(transitions)
app.command()(facts)
app.command()(mcp)
audit.add_to(app)
imports.add_to(app)


def main() -> None:
    """The entry point."""
    run_command_line(app)


if __name__ == "__main__":
    main()
