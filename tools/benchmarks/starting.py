"""Starts of `tracker demo`, in any commit: this module imports nothing of the tracker."""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path

import psutil  # type: ignore[import-untyped]

REST_CPU_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until the three example queries are answered, and CPU seconds until all work is done."""

    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: its process, its address, and the seconds until its example queries were answered."""

    process: psutil.Process
    url: str
    seconds: float


@contextmanager
def running_demo(data_dir: Path) -> Iterator[Demo]:
    """Run the demo of this interpreter's environment on a data directory for the duration of a block."""
    command = [Path(sys.executable).with_name("tracker"), "demo", "--port", "0"]
    began = time.perf_counter()
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
    [url] = re.findall(r"http://[0-9.:]+", "".join(said))[:1]
    try:
        yield Demo(psutil.Process(process.pid), url, seconds)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def start(data_dir: Path) -> Start:
    """Start the demo, and stop it when it rests.

    The search index may be filled after the first answers; a start that is stopped before leaves this work
    to the next one.
    """
    before = _cpu_of_children()
    with running_demo(data_dir) as demo:
        _wait_for_rest(demo.process)
    return Start(demo.seconds, _cpu_of_children() - before)


def cold_and_warm() -> tuple[Start, Start]:
    """Return two starts on a new directory."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        os.chmod(directory, 0o755)  # PostgreSQL runs under another account when this runs as root
        return start(Path(directory) / "data"), start(Path(directory) / "data")


def _wait_for_rest(process: psutil.Process) -> None:
    """Wait until a process and its children use less than a twentieth of a core for a second."""
    before = -inf
    while (used := _cpu_of_tree(process)) - before > REST_CPU_SECONDS:
        before = used
        time.sleep(1)


def _cpu_of_tree(process: psutil.Process) -> float:
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += sum(each.cpu_times())
    return total


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
