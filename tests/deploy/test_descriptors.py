"""The last descriptors are not for clients: the database, signing and health checks have them."""

import asyncio
import json
import os
import resource
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.web import descriptors
from deploy.web.connections import Limits
from deploy.web.descriptors import within_descriptors
from tests.deploy.test_connections import HEAD, connected, pytestmark  # noqa: F401
from tests.support.processes import Running
from tests.support.time_limits import within

FOUND = """mutation {{ foundAlliance(input: {{ id: "{0}", on: "2024-01-01", name: "{0}", source: {{
  publisher: "tracker", name: "a test", publishedOn: "2024-01-01" }} }}) {{ position }} }}"""


@asynccontextmanager
async def trickling(address: str, count: int) -> AsyncIterator[None]:
    """Run clients that never complete a request, and reconnect when disconnected."""

    async def trickle(local: str) -> None:
        while True:
            try:
                async with connected(address, local) as client:
                    client.writer.write(HEAD)
                    await client.trickle(b"x" * 1000, 0.5)
            except (OSError, TimeoutError):
                await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as clients:
        tasks = [clients.create_task(trickle(f"127.0.0.{1 + n % 4}")) for n in range(count)]
        await asyncio.sleep(2)
        yield
        for task in tasks:
            task.cancel()


def get(url: str) -> bytes:
    """Return the response at an address."""
    with urllib.request.urlopen(url, timeout=within(5)) as response:
        return bytes(response.read())


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Create a directory that PostgreSQL's own account can access."""
    with tempfile.TemporaryDirectory(prefix="tracker-few-") as directory:
        os.chmod(directory, 0o755)
        yield Path(directory) / "data"


async def test_trickling_clients_with_few_descriptors_stop_neither_answers_nor_signing(
    data_dir: Path,
) -> None:
    server = Running("serve", data_dir=data_dir, descriptors=256, TRACKER_WRITE_TOKEN="token")
    try:
        async with trickling(server.url.removeprefix("http://"), 300):
            for number in range(3):
                answer = await asyncio.to_thread(server.ask, FOUND.format(f"a{number}"), "token")
                position = int(answer["data"]["foundAlliance"]["position"])
                assert json.loads(await asyncio.to_thread(get, f"{server.url}/healthz"))
                async with asyncio.timeout(within(20)):
                    while (await signed(server)) < position:
                        await asyncio.sleep(0.1)
        assert "Too many open files" not in server.output
    finally:
        server.stop()


async def signed(server: Running) -> int:
    """Return the size of the newest checkpoint."""
    ready = json.loads(await asyncio.to_thread(get, f"{server.url}/readyz"))
    assert ready["warnings"] == []
    return ready["checkpoint"] or 0


@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [
        (256, 256, 144),
        (256, 1024, 912),
        (20_000, 20_000, 10_000),
        (100, 100, 16),
        (1024, resource.RLIM_INFINITY, 10_000),
        (resource.RLIM_INFINITY,) * 2 + (10_000,),
    ],
)
def test_clients_get_what_the_descriptors_leave(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, expected: int
) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(descriptors.resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(descriptors.resource, "setrlimit", lambda _, both: given.append(both))
    assert within_descriptors(Limits()).connections == expected
    assert given in ([], [(min(hard, 65_536) if hard > 0 else 65_536, hard)])
