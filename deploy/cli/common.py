"""Shared parts of the commands: the database, the reporting of errors, notes on standard error."""

from __future__ import annotations

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
from deploy.config import settings, table
from deploy.config.table import Setting, WrongSetting
from deploy.output.log_format import LogFormat, LogLevel, Notes
from deploy.output.terminal import discard_output, output_is_closed
from deploy.postgres import PostgresError, default_data_dir, has_database, running
from deploy.postgres.database_target import Database, database
from deploy.web.server import PortTaken
from tracker.domain.calendar_days import DAY, parse_day
from tracker.errors import InvalidInput, TrackerError, Unavailable
from tracker.postgres.database import CONNECTION_ERRORS, Target
from tracker.postgres.migrate import NotMigrated
from tracker.postgres.session_settings import UnsuitableConnection

T = TypeVar("T")
stderr = Notes()


def option(setting: Setting, **details: Any) -> Any:
    """Return the command-line option of a setting."""
    return typer.Option(setting.flag, envvar=setting.variable, **details)


DataDir = Annotated[
    Path | None,
    option(
        table.DATA_DIR,
        show_default=False,
        help="Where the embedded PostgreSQL keeps its data (default: one directory per user). A server"
        " that runs on it already is used.",
    ),
]

Level = Annotated[
    LogLevel, option(table.LOG_LEVEL, help="How much is logged: debug, info, warning or error.")
]
Form = Annotated[
    LogFormat, option(table.LOG_FORMAT, help="Text for people, or a line of JSON each.")
]

DAY_FORM = "YYYY-MM-DD"


def day(text: str) -> date:
    """The day that an option gives. Leaves with a usage error for another form, and for none of the
    calendar."""
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
    """Whether somebody means an address on the web, well written or not, and not a file."""
    return "://" in name or name.lower().startswith(("http:", "https:"))


@contextmanager
def report_errors(target: Target | None = None) -> Iterator[None]:
    """Turn what can go wrong into one clear line and an exit code that says which kind it was.
    `target` is the database that is used meanwhile."""
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
    """Print the answer of a command whose exit code counts also where nobody reads the answer."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def fail(message: str, code: Exit) -> NoReturn:
    """Say what is wrong and leave."""
    stderr.print(message, style="red", markup=False)
    raise typer.Exit(code)


def run_with_database(
    data_dir: Path | None,
    work: Callable[[Target], Coroutine[Any, Any, T]],
    *,
    make: bool = False,
    lasting: bool = False,
    migrates: bool = False,
) -> T:
    """Do some work on the database that the settings name; with `make`, also on a new one.
    `lasting`: the work goes on until it is stopped. `migrates`: data of an older release are migrated
    without asking.

    Whoever only asks has mistyped a directory in which there is none: an empty database would
    answer, and wrongly.
    """
    catch_signals()
    directory, target = data_dir or default_data_dir(), settings.database_target()
    new = target is None and not has_database(directory)
    if new and make:
        stderr.print(f"A new database is made in {directory}.", markup=False)
    with report_errors(target):
        make = make or (new and confirm_new_database(directory))
        with database(directory, target, make=make, lasting=lasting) as found:
            update_data(found, directory, migrates=migrates)
            return run(found.run_while_alive(work(found.target)))


def update_data(found: Database, directory: Path, *, migrates: bool) -> None:
    """Migrate data of an older release, and name the steps. There is no way back, so a command whose
    task it is not asks first. Raises NotMigrated."""
    missing = run(found.run_while_alive(lacking_migrations(found.target)))
    if not missing:
        return
    place = str(directory) if found.server else describe_target(found.target)
    problem = (
        f"The data in {place} are of an older release: they lack {len(missing)} migrations"
        f" ({', '.join(missing)}), and there is no way back but a backup."
    )
    if not migrates and not (sits_there() and typer.confirm(f"{problem} Apply them?", err=True)):
        raise NotMigrated(f"{problem} Run `tracker migrate` to apply them")
    for name in run(found.run_while_alive(migrate_log(found.target))):
        stderr.print(f"applied {name}", markup=False)


def sits_there() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm_new_database(directory: Path) -> bool:
    """Whether somebody sits there who wants a new database."""
    if not sits_there() or running(directory):
        return False
    return typer.confirm(f"There is no database in {directory}. Make an empty one?", err=True)
