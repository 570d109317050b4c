"""The source distribution and wheel of this checkout, built once per run, and the installed wheel."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.support.checkout import ROOT
from tests.support.time_limits import within

PACKED_AT = 1_790_000_000
"""Timestamp of all packed files, in seconds since 1970."""
PROJECT_URL = "https://forge.example.org/minerals/tracker"
NOT_SOURCE = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "build", "dist", "node_modules"
)


def pack(directory: Path) -> None:
    """Write the checkout (`source`), the source distribution, packed and unpacked, and its wheel to a
    directory."""
    shutil.copytree(ROOT, directory / "source", ignore=NOT_SOURCE)
    for hidden in (".ci", ".github", ".gitignore"):
        subprocess.run(["cp", "-r", ROOT / hidden, directory / "source"], check=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--outdir",
            directory,
            directory / "source",
        ],
        check=True,
        capture_output=True,
        timeout=within(100),
        env={**os.environ, "SOURCE_DATE_EPOCH": str(PACKED_AT), "PROJECT_URL": PROJECT_URL},
    )
    with tarfile.open(next(directory.glob("*.tar.gz"))) as archive:
        archive.extractall(directory, filter="data")


def install_wheel(packed: Path, directory: Path) -> None:
    """Install the wheel without its dependencies, which this environment has."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-index",
            "--target",
            directory / "packages",
            next(packed.glob("*.whl")),
        ],
        check=True,
        capture_output=True,
        timeout=within(60),
    )
