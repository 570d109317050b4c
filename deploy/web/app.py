"""The web application, imported when a command serves it.

To make the GraphQL schema and the pages takes more than half of the time in which commands start that
need neither. So `schema.app` is imported here in a function, and so is `execute` wherever they ask.
"""

from __future__ import annotations

from starlette.applications import Starlette

from deploy.tracing import Traces
from schema.execution.trusted_documents import TrustedDocuments
from schema.services import Access, Services


def make_app(
    services: Services,
    access: Access,
    traces: Traces | None = None,
    *,
    trusted: TrustedDocuments | None = None,
) -> Starlette:
    """The web application on a running tracker."""
    from schema.app import create_app

    return create_app(services, access, traces, trusted=trusted)
