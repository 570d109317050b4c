"""Clients and audits of the ecosystem, unmodified, against the running server.

They come from npm, at the versions in `tests/clients/package-lock.json`, into a cache directory. A
machine without Node skips them, unless CI says that it has to have it.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from schema.app import create_app
from schema.context import Services
from tests.api import OPEN

CLIENTS = Path(__file__).with_name("clients")
FILES = ("package.json", "package-lock.json")
AUDITS = 61


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where the programs of `tests/clients` stand beside the packages that they import."""
    if not shutil.which("node") or not shutil.which("npm"):
        if os.environ.get("TRACKER_NEEDS_NODE"):
            pytest.fail("TRACKER_NEEDS_NODE is set, and there is no node and npm")
        pytest.skip("the clients need node and npm, which this machine has not")
    pinned = hashlib.sha256(b"".join((CLIENTS / name).read_bytes() for name in FILES)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tracker-tests"
    return installed(cache / pinned[:16])


def installed(directory: Path) -> Path:
    """The directory with the pinned packages in it; one test process installs, others wait."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "done").exists():
            for name in FILES:
                shutil.copy(CLIENTS / name, directory)
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                           cwd=directory, check=True, capture_output=True, timeout=150)
            (directory / "done").touch()
    return directory


@pytest.fixture
async def url(corpus_services: Services) -> AsyncIterator[str]:
    """A running server with the shipped corpus."""
    server = uvicorn.Server(uvicorn.Config(
        create_app(corpus_services, OPEN), port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/graphql"
    server.should_exit = True
    await serving


async def run(programs: Path, name: str, url: str) -> Any:
    """What a program of `tests/clients` prints about the server at a URL."""
    with tempfile.TemporaryDirectory(dir=programs) as directory:
        program = shutil.copy(CLIENTS / name, directory)
        shutil.copy(CLIENTS / "package.json", directory)
        node = await asyncio.create_subprocess_exec(
            "node", program, url, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            async with asyncio.timeout(60):
                printed, complaints = await node.communicate()
        finally:
            if node.returncode is None:
                node.kill()
                await node.wait()
    assert node.returncode == 0, complaints.decode()
    return json.loads(printed)


async def test_the_server_passes_every_audit_of_graphql_over_http(
    programs: Path, url: str
) -> None:
    results = await run(programs, "audit.js", url)
    assert [result for result in results if result["status"] != "ok"] == []  # no notices either
    assert len(results) == AUDITS
