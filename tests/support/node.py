"""Programs for Node, with the packages of `tests/contract/clients/package-lock.json`.

The packages come from npm into a cache directory. A machine without Node skips what needs it, unless
CI says that it has to have it.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[1] / "contract" / "clients"
FILES = ("package.json", "package-lock.json")
MAX_RUN_SECONDS = 60


def npm_packages() -> Path:
    """The directory below which programs find their packages."""
    if not shutil.which("node") or not shutil.which("npm"):
        if os.environ.get("TESTS_NEED_NODE"):
            pytest.fail("TESTS_NEED_NODE is set, and there is no node and npm")
        pytest.skip("this needs node and npm, which this machine has not")
    pinned = hashlib.sha256(b"".join((CLIENTS / name).read_bytes() for name in FILES)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tracker-tests"
    return _installed(cache / pinned[:16])


def _installed(directory: Path) -> Path:
    """The directory with the pinned packages in it; one test process installs, others wait."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "done").exists():
            for name in FILES:
                shutil.copy(CLIENTS / name, directory)
            subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=directory,
                check=True,
                capture_output=True,
                timeout=150,
            )
            (directory / "done").touch()
    return directory


async def node(directory: Path, *arguments: str) -> str:
    """What a program prints."""
    process = await asyncio.create_subprocess_exec(
        "node", *arguments, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(MAX_RUN_SECONDS):
            printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, (printed + complaints).decode()
    return printed.decode()
