"""List our files in the path of one mutation: `python -m tools.request_path`.

A tracker with an embedded PostgreSQL runs in this process. The profiler records each of our functions
called between the ASGI call and the response. That includes the request's task and tasks beside it,
such as the projector, which the mutation waits for. Imports are not counted. Three mutations are
traced, and only files in all of them count. So unrelated concurrent work, such as a new database
connection, is excluded.
"""

from __future__ import annotations

import asyncio
import inspect
import operator
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from types import FrameType
from typing import Any

from deploy.bootstrap import prepare, running_tracker
from deploy.postgres import Postgres
from schema.services import Services
from tests.support.api import Api, control, suspension

ROOT = Path(__file__).parents[1]
LAYERS = ("deploy", "schema", "projections", "tracker")
NOT_AWAITED = "projections/search_index/"
"""The search index follows later: no mutation waits for it."""
SUSPEND = """mutation Suspend($input: SuspendExportControlInput!) { suspendExportControl(input: $input) {
  position event { type actor }
} }"""

_in_request: ContextVar[bool] = ContextVar("_in_request", default=False)


@dataclass(slots=True)
class RequestPath:
    """Our files in the path of a request, in the order of their first calls."""

    request: Counter[str] = field(default_factory=Counter)
    """Calls per file in the task of the request."""
    beside: Counter[str] = field(default_factory=Counter)
    """Calls per file in other tasks of the process."""

    def __and__(self, other: RequestPath) -> RequestPath:
        """Return the files of both paths, with the smaller number of calls."""
        return RequestPath(self.request & other.request, self.beside & other.beside)

    @property
    def files(self) -> list[str]:
        """Return all files, in the order of their first calls in the request and then beside it."""
        return list(dict.fromkeys([*self.request, *self.beside]))

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        """Count a call; module and class bodies run only on import."""
        code = frame.f_code
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED:
            name = code.co_filename.removeprefix(f"{ROOT}/")
            if name.startswith(LAYERS) and not name.startswith(NOT_AWAITED):
                (self.request if _in_request.get() else self.beside)[name] += 1


@contextmanager
def noting(path: RequestPath) -> Iterator[None]:
    """Record the calls of this thread for the duration of a block, the request."""
    token = _in_request.set(True)
    sys.setprofile(path.note)
    try:
        yield
    finally:
        sys.setprofile(None)
        _in_request.reset(token)


async def mutation_path(services: Services) -> RequestPath:
    """Suspend three export controls with a new document each, and return the common path."""
    api = Api(services)
    first, *others = [await _path_of_suspension(api, slug) for slug in ("first", "second", "third")]
    return reduce(operator.and_, others, first)


async def _path_of_suspension(api: Api, slug: str) -> RequestPath:
    await api.do("announceExportControl", control(slug))
    path = RequestPath()
    with noting(path):
        answer = await api.ask(
            SUSPEND.replace("Suspend(", f"Suspend_{slug}(", 1), input=suspension(slug)
        )
    assert answer["suspendExportControl"]["event"]["type"].endswith("Suspended")
    return path


async def _trace(database: dict[str, Any]) -> RequestPath:
    await prepare(database)
    async with running_tracker(database) as services:
        return await mutation_path(services)


def main() -> None:
    """Print the files."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)  # PostgreSQL runs under another account if this runs as root
        with Postgres.start(Path(directory) / "data") as postgres:
            path = asyncio.run(_trace(postgres.connection.kwargs()))
    for name in path.files:
        print(f"{path.request[name]:6} {path.beside[name]:6}  {name}")
    beside = len(path.files) - len(path.request)
    print(
        f"{len(path.files)} files: {len(path.request)} in the request, {beside} beside it only"
        " (columns: calls in the request, calls beside it)"
    )


if __name__ == "__main__":
    main()
