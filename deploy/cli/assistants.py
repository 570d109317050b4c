"""`tracker mcp`: the tools for assistants, over standard input and output."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, fail, report_errors, run_with_database
from deploy.cli.process import Exit
from deploy.cli.trust import run_without_database
from deploy.config import settings
from deploy.output.log_format import LogFormat, LogLevel, log_to_stderr
from tracker.auth.jwks import is_trustworthy_url
from tracker.errors import InvalidInput
from tracker.postgres.database import Target

PROJECTION_SECONDS = 600
PATH = "/mcp"


def mcp(
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]",
            show_default=False,
            help="The address of a tracker, such as https://tracker.example.org; `TRACKER_TOKEN` is "
            "its token (default: the local database).",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve an assistant over standard input and output (Model Context Protocol).

    The assistant starts this command: see docs/assistants.md. It only reads, and ends with the input.
    """
    from schema.assistants.route import NOT_INSTALLED, is_installed  # late: see deploy/web/app.py

    if not is_installed():
        fail(NOT_INSTALLED, Exit.REFUSED)
    log_to_stderr(LogLevel.WARNING, LogFormat.TEXT, settings.secrets())
    if url is None:
        serve_local(data_dir)
    else:
        serve_remote(url)


def serve_local(data_dir: Path | None) -> None:
    """Serve from the local database."""

    async def work(target: Target) -> None:
        tools = stdio()  # before background tasks start: see deploy/web/app.py
        async with running_tracker(target) as services:
            head = await services.recorder.head()
            await services.projector.reach(head, seconds=PROJECTION_SECONDS)
            await tools.serve(services)

    run_with_database(data_dir, work, lasting=True)


def serve_remote(url: str) -> None:
    """Serve from a remote tracker. Exits if a token would be sent over an unencrypted connection."""
    with report_errors():
        token = settings.token()
        if token and not is_trustworthy_url(url):
            raise InvalidInput(f"{url}: a token is sent to https addresses only", path=("URL",))
    address = url if url.rstrip("/").endswith(PATH) else f"{url.rstrip('/')}{PATH}"
    run_without_database(lambda: stdio().serve_remote(address, token))


def stdio() -> ModuleType:
    """Import the module with the SDK, which takes half a second."""
    return importlib.import_module("schema.assistants.stdio")
