"""The entry point: preparation of every command, and handling of errors.

Modules that are slow to import are imported in functions, because `--help` needs none of them.
"""

import gc
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from deploy.cli.version import version_text
from deploy.config.table import TABLE
from deploy.output.log_format import LogFormat, LogLevel, Notes, log_to_stderr
from deploy.output.terminal import allow_any_encoding, discard_output, output_is_closed

logger = logging.getLogger("tracker")
IMPORT_GC_THRESHOLD = 1_000_000
"""Objects between two runs of the garbage collector during imports, which create hardly any garbage."""
HELP: tuple[list[str], ...] = ([], ["-h"], ["--help"])
"""Arguments that show the list of commands."""


def show_version(requested: bool) -> None:
    """Print the version and exit, if requested."""
    if requested:
        print(version_text())
        raise typer.Exit()


def begin(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=show_version,
            help="Print the versions of the program, of Python and of the tables.",
        ),
    ] = False,
) -> None:
    """Read the settings file, if there is one, and check all settings."""
    from deploy.cli.common import report_errors
    from deploy.config import settings
    from deploy.config.environment import add_settings_file

    with report_errors():
        add_settings_file(os.environ)
        settings.check()


class Commands(TyperGroup):
    """The group of commands. A command whose output is closed, as by `head`, ends successfully."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command in the arguments."""
        try:
            return super().main(*args, **options)
        finally:
            flush_output()

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Parse the arguments; `--help` and `--version` print here."""
        with done_without_reader():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with done_without_reader():
            return super().invoke(ctx)


@contextmanager
def done_without_reader() -> Iterator[None]:
    """Exit silently if the output is closed."""
    try:
        yield
    except BrokenPipeError:
        if not output_is_closed():
            raise
        discard_output()
        raise typer.Exit() from None


def raise_again(_: Console) -> None:
    """Raise the error of a closed output again; rich would exit with code 1."""
    raise


def flush_output() -> None:
    """Flush the output unless it is closed; the exit code is not changed."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def run_command_line(app: typer.Typer) -> None:
    """Run the command in the arguments, and exit with its code.

    An unexpected error is one line too; its traceback is in the debug log.
    """
    gc.set_threshold(IMPORT_GC_THRESHOLD)
    allow_any_encoding()
    if sys.argv[1:] not in HELP:
        begin_log()
    form = requested_log_format(sys.argv)
    Console.on_broken_pipe = raise_again  # type: ignore[method-assign, assignment]
    try:
        # In JSON output, usage errors must not be drawn in a box.
        sys.exit(app(prog_name="tracker", standalone_mode=form is LogFormat.TEXT))
    except Exception as error:
        sys.exit(explain(error))


def begin_log() -> None:
    """Log to standard error, including Python's own messages.

    A wrong setting is rejected later.
    """
    from deploy.config import settings
    from deploy.config.table import WrongSetting

    try:
        level = settings.log_level()
    except WrongSetting:
        level = LogLevel.WARNING
    log_to_stderr(level, requested_log_format(sys.argv), settings.secrets())
    logging.captureWarnings(True)
    sys.unraisablehook = lambda failure: logger.error(
        "%s", failure.err_msg or "an error that could not be raised", exc_info=failure.exc_value
    )
    threading.excepthook = lambda failure: logger.error(
        "a thread has failed", exc_info=failure.exc_value
    )


def requested_log_format(arguments: list[str]) -> LogFormat:
    """Return the log format as far as it is known before the arguments are parsed."""
    flag = TABLE["LOG_FORMAT"].flag
    text = " ".join(arguments).replace("=", " ")
    is_json = f"{flag} {LogFormat.JSON}" in text
    is_json = is_json or os.environ.get(TABLE["LOG_FORMAT"].variable) == LogFormat.JSON
    return LogFormat.JSON if is_json else LogFormat.TEXT


def explain(error: Exception) -> int:
    """Print an error and return the exit code."""
    from deploy.cli.process import Exit

    stderr = Notes()
    if isinstance(error, typer.Abort):
        stderr.print("Aborted.", style="red")
        return Exit.REFUSED
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # for wrong usage
        stderr.print(error.format_message(), style="red", markup=False)
        return int(error.exit_code)
    stderr.print(
        f"An unexpected error, {type(error).__name__}. Please report it, with the log of"
        f" {TABLE['LOG_LEVEL'].variable}=debug.",
        style="red",
        markup=False,
    )
    logger.debug("unexpected error", exc_info=error)
    return Exit.FAILED
