"""The first requests of a server, which wait until the SDK is imported."""

import asyncio
import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import httpx2
import pytest

from schema.app import create_app
from schema.assistants.route import HTTP
from schema.services import Access, Services
from tests.support.time_limits import within

NEEDED = "schema.assistants.protocol"
"""A module that HTTP imports."""
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


class SlowImport(MetaPathFinder):
    """Holds up the import of a module until it may go on."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the import spec of the module, and None for others."""
        if name != NEEDED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def wait_and_execute(module: ModuleType) -> None:
            self.begun.set()
            self.may_end.wait(within(20))
            execute(module)

        spec.loader.exec_module = wait_and_execute  # type: ignore[method-assign]
        return spec


async def test_a_request_that_comes_while_another_has_the_sdk_imported_is_answered_too(
    read_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowImport()
    monkeypatch.delitem(sys.modules, HTTP, raising=False)
    monkeypatch.delitem(sys.modules, NEEDED, raising=False)
    monkeypatch.setattr(sys, "meta_path", [slow, *sys.meta_path])
    transport = httpx2.ASGITransport(create_app(read_services, Access()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        first = asyncio.create_task(client.post("/mcp", json=CALL, headers=JSON))
        assert await asyncio.to_thread(slow.begun.wait, within(20))
        second = asyncio.create_task(client.post("/mcp", json=CALL, headers=JSON))
        await asyncio.wait([second], timeout=0.2)  # as long as nothing is wrong it waits
        slow.may_end.set()
        statuses = [(await asking).status_code for asking in (first, second)]
    assert statuses == [200, 200]
