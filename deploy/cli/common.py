"""Shared parts of the commands: the database, error reports, notes on standard error."""

import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from deploy.bootstrap import lacking_migrations, migrate_log
from deploy.cli.database_problem import describe_database_problem, describe_target
from deploy.cli.process import Exit, catch_signals, run
from deploy.config import settings
from deploy.config.table import TABLE, Setting, WrongSetting
from deploy.output.log_format import LogFormat, LogLevel, Notes
from deploy.output.terminal import discard_output, output_is_closed
from deploy.postgres import PostgresError, default_data_dir, has_database, running
from deploy.postgres.database_target import Database, database
from deploy.web.server import PortTaken
from tracker.domain.basics.calendar_days import DAY, parse_day
from tracker.errors import InvalidInput, TrackerError, Unavailable
from tracker.postgres.database import CONNECTION_ERRORS, Target
from tracker.postgres.roles import NotMigrated
from tracker.postgres.session_settings import UnsuitableConnection

T = TypeVar("T")
stderr = Notes()


def option(setting: Setting, **details: Any) -> Any:
    """Return the command-line option of a setting."""
    return typer.Option(setting.flag, envvar=setting.variable, **details)


DataDir = Annotated[
    Path | None,
    option(
        TABLE["DATA_DIR"],
        show_default=False,
        help="The data directory of the embedded PostgreSQL (default: one directory per user). A "
        "running server on it is used.",
    ),
]

Level = Annotated[
    LogLevel, option(TABLE["LOG_LEVEL"], help="The log level: debug, info, warning or error.")
]
Form = Annotated[
    LogFormat,
    option(TABLE["LOG_FORMAT"], help="The log format: text, or one JSON object per line."),
]

KeyOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KEY|FILE",
        show_default=False,
        help="A verifier key of the log from an independent source, or a file with one per line; "
        "several during a key rotation.",
    ),
]
WitnessOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--require-witness",
        metavar="KEY|FILE",
        show_default=False,
        help="A witness that must have cosigned; may be repeated.",
    ),
]
WithoutSnapshots = Annotated[
    bool,
    typer.Option(
        "--without-snapshots",
        help="Omit publishers' documents, which may be many times as large as the log.",
    ),
]

DAY_FORM = "YYYY-MM-DD"


def day(text: str) -> date:
    """Parse a day option. Exits with a usage error for another form or an invalid date."""
    try:
        return parse_day(text)
    except InvalidInput as error:
        if DAY.fullmatch(text):  # such as 2025-02-30
            raise typer.BadParameter(error.message) from None
        wrong = f"{text!r}: expected a day as {DAY_FORM}, such as 2025-11-20"
        raise typer.BadParameter(wrong) from None


def day_option(*names: str, help: str) -> Any:
    """Return an option whose value is a day."""
    return typer.Option(*names, parser=day, metavar=DAY_FORM, help=help)


def is_web(name: str) -> bool:
    """Whether a name is a web address, even a malformed one, instead of a file."""
    return "://" in name or name.lower().startswith(("http:", "https:"))


@contextmanager
def report_errors(target: Target | None = None) -> Iterator[None]:
    """Convert expected errors to one line and an exit code for their kind.

    `target` is the database in use.
    """
    try:
        yield
    except (PostgresError, PortTaken, Unavailable) as error:
        fail(str(error), Exit.UNAVAILABLE)
    except WrongSetting as error:
        fail(error.message, Exit.USAGE)
    except UnsuitableConnection as error:
        fail(f"{error.message} ({error.code})", Exit.UNAVAILABLE)
    except CONNECTION_ERRORS as error:
        if isinstance(error, BrokenPipeError) and output_is_closed():
            raise
        fail(describe_database_problem(error, target), Exit.UNAVAILABLE)
    except TrackerError as error:
        fail(f"{error.message} ({error.code})", Exit.REFUSED)


def print_whole(lines: Iterable[str]) -> None:
    """Print all output of a command whose exit code counts even without a reader."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def fail(message: str, code: Exit) -> NoReturn:
    """Print an error and exit."""
    stderr.print(message, style="red", markup=False)
    raise typer.Exit(code)


def run_with_database(
    data_dir: Path | None,
    work: Callable[[Target], Coroutine[Any, Any, T]],
    *,
    make: bool = False,
    lasting: bool = False,
    migrates: bool | None = False,
) -> T:
    """Run work on the database of the settings; with `make`, create a missing one.

    `lasting` work continues until it is stopped. `migrates` applies migrations without confirmation; with
    None the work gets the database as it is.
    Read-only commands fail on a directory without a database, which is most likely mistyped.
    """
    catch_signals()
    directory, target = data_dir or default_data_dir(), settings.database_target()
    new = target is None and not has_database(directory)
    if new and make:
        stderr.print(f"A new database is made in {directory}.", markup=False)
    with report_errors(target):
        make = make or (new and confirm_new_database(directory))
        with database(directory, target, make=make, lasting=lasting) as connected:
            if migrates is not None:
                update_data(connected, directory, migrates=migrates)
            return run(connected.run_while_alive(work(connected.target)))


def update_data(database: Database, directory: Path, *, migrates: bool) -> None:
    """Migrate data of an older release, and print the steps. Raises NotMigrated.

    Migrations cannot be reverted, so other commands than `tracker migrate` ask for confirmation.
    """
    missing = run(database.run_while_alive(lacking_migrations(database.target)))
    if not missing:
        return
    place = str(directory) if database.server else describe_target(database.target)
    problem = (
        f"The data in {place} are of an older release and lack {len(missing)} migrations"
        f" ({', '.join(missing)}). Only a backup can undo them."
    )
    if not migrates and not (sits_there() and typer.confirm(f"{problem} Apply them?", err=True)):
        raise NotMigrated(f"{problem} Run `tracker migrate` to apply them")
    for name in run(database.run_while_alive(migrate_log(database.target))):
        stderr.print(f"applied {name}", markup=False)


def sits_there() -> bool:
    """Whether a person can be prompted."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm_new_database(directory: Path) -> bool:
    """Ask for confirmation of a new database."""
    if not sits_there() or running(directory):
        return False
    return typer.confirm(f"There is no database in {directory}. Make an empty one?", err=True)
