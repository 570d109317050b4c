"""Starts of `tracker demo`, in any commit: this module imports nothing of the tracker."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until the three example queries are answered, and CPU seconds until the end."""

    seconds: float
    cpu: float


def start(data_dir: Path) -> Start:
    """Start the demo of this interpreter's environment, and stop it."""
    command = [Path(sys.executable).with_name("tracker"), "demo", "--port", "0"]
    before, began = _cpu_of_children(), time.perf_counter()
    process = subprocess.Popen(
        [*command, "--data-dir", data_dir],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C stops" in line:
            break
    else:
        raise RuntimeError("".join(said))
    seconds = time.perf_counter() - began
    process.terminate()
    process.communicate(timeout=60)
    return Start(seconds, _cpu_of_children() - before)


def cold_and_warm() -> tuple[Start, Start]:
    """Return two starts on a new directory."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        os.chmod(directory, 0o755)  # PostgreSQL runs under another account when this runs as root
        return start(Path(directory) / "data"), start(Path(directory) / "data")


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
