"""The GraphQL schema and the web application, imported by the commands that need them.

To make them takes more than half of the time in which commands start that need neither. It also takes
seconds in which the event loop does nothing else: a command imports them before it starts background
tasks, whose connections would be lost meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette


def import_app() -> Callable[..., Starlette]:
    """Return `create_app`, which makes the web application of a running tracker."""
    from schema.app import create_app

    return create_app


def import_execute() -> Callable[..., Awaitable[dict[str, Any]]]:
    """Return `execute`, which answers a GraphQL document."""
    from schema.execution.execute import execute

    return execute
