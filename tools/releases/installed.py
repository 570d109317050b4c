"""Installations by venv, pipx and uv, on every installed Python, by an unprivileged user."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.checkout import ROOT
from tools.releases.outcome import Outcome

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
DEMO_SECONDS = 300
"""Timeout in seconds for a demo to respond, on a busy machine."""
UNPRIVILEGED_USER = 65_534
QUERY_VERSION = """
import json, sys, urllib.request
request = urllib.request.Request(sys.argv[1], b'{"query": "{ head }"}', {"Content-Type": "application/json"})
print(json.load(urllib.request.urlopen(request))["data"]["head"])
"""


@dataclass(frozen=True, slots=True)
class User:
    """A user with a private home, and a Python."""

    home: Path
    python: Path
    tools: Path
    """Directory of pipx and uv."""

    def run(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in the home."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.home,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            **self.identity,
        )

    @property
    def identity(self) -> dict[str, int]:
        """Return the user to run as: nobody, if possible."""
        return {"user": UNPRIVILEGED_USER, "group": UNPRIVILEGED_USER} if os.getuid() == 0 else {}

    @property
    def environment(self) -> Mapping[str, str]:
        """Return an environment with only the address of the package index."""
        index = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("PIP_", "UV_", "SSL_", "HTTP", "NO_PROXY"))
        }
        path = (self.home / ".local" / "bin", self.python.parent, self.tools, "/usr/bin", "/bin")
        return {
            **index,
            "HOME": str(self.home),
            "LD_LIBRARY_PATH": str(self.python.parents[1] / "lib"),  # its own names, unchanged
            "PATH": os.pathsep.join(map(str, path)),
            "PIP_CACHE_DIR": str(self.home.parent / "cache-pip"),
            "PIPX_DEFAULT_PYTHON": str(self.python),
            "UV_CACHE_DIR": str(self.home.parent / "cache-uv"),
            "UV_PYTHON": str(self.python),
            "UV_PYTHON_DOWNLOADS": "never",
        }


def pythons() -> list[Path]:
    """Return every supported and installed Python, once per location."""
    system = [Path(f"/usr/bin/python3.{minor}") for minor in range(11, 15)]
    managed = sorted(Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python3.1[1-9]"))
    return [path for path in (*managed, *system) if path.exists()]


def commands(heading: str = "As a command") -> dict[str, str]:
    """Return the commands below a heading of docs/operating/install.md, by tool."""
    text = (ROOT / "docs" / "operating" / "install.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(text.split(f"## {heading}\n")[1].split("\n## ")[0])
    return {block.split()[0].replace("python3", "venv"): block for block in blocks}


def try_all(wheel: Path, interpreters: list[Path], place: Path) -> Iterator[Outcome]:
    """Install on each Python by each tool, and check the result."""
    open_to_all = [
        readable(path, place / f"python-{number}") for number, path in enumerate(interpreters)
    ]
    tools = make_tools(place, open_to_all[-1])
    for number, (original, python) in enumerate(zip(interpreters, open_to_all, strict=True)):
        version = subprocess.check_output([original, "--version"], text=True).strip()
        for way, script in commands().items():
            home = place / f"{number}-{way}"
            home.mkdir()
            shutil.copy(wheel, home)
            user = User(home, python, tools)
            for path in (home, place / "cache-pip", place / "cache-uv"):
                path.mkdir(exist_ok=True)
                if user.identity:
                    shutil.chown(path, UNPRIVILEGED_USER, UNPRIVILEGED_USER)
            yield from (
                Outcome(f"{way}: {subject}", f"{version} ({original})", result, good)
                for subject, result, good in try_one(user, script)
            )
            shutil.rmtree(home)


def try_one(user: User, script: str) -> Iterator[tuple[str, str, bool]]:
    """Install, and check the version, a demo, and the message without PostgreSQL."""
    began = time.monotonic()
    installed = user.run(script)
    if installed.returncode:
        yield "install", installed.stderr[-300:].replace("\n", " "), False
        return
    yield "install", f"{time.monotonic() - began:.0f} s", True
    tracker = "tracker/bin/tracker" if (user.home / "tracker" / "bin").is_dir() else "tracker"
    version = user.run(f"{tracker} --version")
    first = (version.stdout.splitlines() or [""])[0]
    yield "--version", first, first.startswith("tracker ") and version.returncode == 0
    lacking = user.run(f"{tracker} migrate", TRACKER_PG_BIN="/nowhere")
    clear = "No PostgreSQL was found" in lacking.stderr and "Traceback" not in lacking.stderr
    yield "without PostgreSQL", f"exit {lacking.returncode}", clear and lacking.returncode == 3
    yield "demo", *demo(user, tracker)


def demo(user: User, tracker: str) -> tuple[str, bool]:
    """Whether a demo prints its address and responds there."""
    began = time.monotonic()
    with running_demo(user, tracker) as (address, log):
        if not address:
            return log[-300:].replace("\n", " "), False
        answer = subprocess.run(
            [sys.executable, "-c", QUERY_VERSION, f"{address}/graphql"],
            capture_output=True,
            text=True,
            check=False,
        )
        head = answer.stdout.strip()
        return f"head {head} after {time.monotonic() - began:.0f} s", head.isdecimal()


@contextmanager
def running_demo(user: User, tracker: str) -> Iterator[tuple[str, str]]:
    """Run a demo, and return its address, which is empty if it does not start, and its output."""
    began = time.monotonic()
    log = user.home / "log"
    with log.open("w") as output:
        running = subprocess.Popen(
            ["bash", "-c", f"exec {tracker} demo --port 0 --data-dir data"],
            cwd=user.home,
            env=user.environment,
            stdout=output,
            stderr=output,
            **user.identity,
        )
    try:
        address = None
        while not address and time.monotonic() - began < DEMO_SECONDS and running.poll() is None:
            time.sleep(0.2)
            address = re.search(r"(http://[\d.]+:\d+)/graphql", log.read_text())
        yield address[1] if address else "", log.read_text()
    finally:
        running.terminate()
        running.wait(60)


def make_tools(place: Path, python: Path) -> Path:
    """Create pipx and uv in a location that all users can run."""
    directory = place / "tools"
    subprocess.run([python, "-m", "venv", "--without-pip", directory], check=True)
    uv = (sys.executable, "-m", "uv", "pip", "install", "--quiet")
    subprocess.run([*uv, "--python", directory / "bin" / "python", "pipx", "uv"], check=True)
    return directory / "bin"


def readable(python: Path, copy: Path) -> Path:
    """Return a copy of a Python that all users can run: pyenv's is in a private home."""
    if not python.is_relative_to(Path.home()):
        return python
    home = python.parents[1]
    copy.mkdir()
    for part in ("bin", "include"):
        shutil.copytree(home / part, copy / part, symlinks=True)
    ignore = shutil.ignore_patterns("site-packages", "test", "*.a", "__pycache__", "idlelib")
    shutil.copytree(home / "lib", copy / "lib", symlinks=True, ignore=ignore)
    return copy / "bin" / python.name
