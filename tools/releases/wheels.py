"""Kinds of machines for which all libraries have wheels, queried from the index by uv."""

import subprocess
import sys
from collections.abc import Iterator

from tests.support.checkout import ROOT
from tools.releases.outcome import Outcome

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
EXTRAS = ("", "charts", "embedded", "graphiql", "mcp", "nats", "otel", "parquet", "timestamps")
MACHINES = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "aarch64-apple-darwin",
)
LACKING = {"musl": ("charts", "embedded")}
"""Extras without wheels, by a part of the machine's name, as in docs/operating/install.md."""
NO_CODE_TO_COMPILE = "nkeys"
"""A source-only package in pure Python."""


def try_wheels() -> Iterator[Outcome]:
    """Resolve every extra for every kind of machine and every Python."""
    for machine in MACHINES:
        lacking = next((extras for part, extras in LACKING.items() if part in machine), ())
        for extra in EXTRAS:
            versions = [version for version in PYTHONS if resolves(extra, machine, version)]
            meant = [] if extra in lacking else list(PYTHONS)
            yield Outcome(
                f"wheels of {f'[{extra}]' if extra else 'the tracker alone'}",
                machine,
                f"Python {', '.join(versions)}" if versions else "none",
                good=versions == meant,
            )


def resolves(extra: str, machine: str, version: str) -> bool:
    """Whether the index has wheels for all dependencies of an extra."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", ROOT / "pyproject.toml"),
        *("--python-version", version, "--python-platform", machine),
        *("--only-binary", ":all:", "--no-binary", NO_CODE_TO_COMPILE),
        *(("--extra", extra) if extra else ()),
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
