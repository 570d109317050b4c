"""Node programs, with packages at the versions of a lock file.

The packages come from npm into a cache directory. A machine without Node skips these tests.
"""

import asyncio
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.shared_work import make_in
from tests.support.time_limits import within

CLIENTS = Path(__file__).parents[1] / "contract" / "clients"
FILES = ("package.json", "package-lock.json")
MAX_RUN_SECONDS = 60


def has_node() -> bool:
    """Whether this machine can install packages and run them."""
    return bool(shutil.which("node") and shutil.which("npm"))


def npm_packages(locked: Path = CLIENTS) -> Path:
    """Return the directory with the packages of a lock file; one process installs them, and others wait."""
    if not has_node():
        pytest.skip("this needs node and npm, which this machine does not have")
    pinned = hashlib.sha256(b"".join((locked / name).read_bytes() for name in FILES)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tracker-tests"

    def install(directory: Path) -> None:
        for name in FILES:
            shutil.copy(locked / name, directory)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=directory,
            check=True,
            capture_output=True,
            timeout=within(100),
        )

    return make_in(cache / pinned[:16], install)


async def node(directory: Path, *arguments: str) -> str:
    """Return the output of a program."""
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
