"""The GraphQL schema and the web application, imported only by commands that need them.

Creating them takes more than half of the start time of other commands. It also blocks the event loop
for seconds. So commands import them before they start background tasks, whose connections would time
out.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

if TYPE_CHECKING:
    from schema.receipts.check import AnswerCheck


def import_app() -> Callable[..., Starlette]:
    """Return `create_app`, which creates the web application of a running tracker."""
    from schema.app import create_app

    return create_app


def import_app_meanwhile() -> None:
    """Import the application in a thread, while this process waits for PostgreSQL."""

    def work() -> None:
        gc.disable()  # imports create hardly any garbage
        try:
            import_app()
        finally:
            gc.freeze()
            gc.enable()

    threading.Thread(target=work, daemon=True).start()


def import_execute() -> Callable[..., Awaitable[dict[str, Any]]]:
    """Return `execute`, which executes a GraphQL document."""
    from schema.execution.execute import execute

    return execute


def import_receipts() -> Callable[..., Awaitable[str]]:
    """Return `issue_receipt`, which executes a document and returns its receipt."""
    from schema.receipts.query import issue_receipt

    return issue_receipt


def import_check() -> type[AnswerCheck]:
    """Return the check of receipts against a restored log."""
    from schema.receipts.check import AnswerCheck

    return AnswerCheck
