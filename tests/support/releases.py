"""Several releases of the tracker: their code in separate directories, run in separate processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from projections.runner.release import FOLDS
from tests.support.api import control, document
from tests.support.checkout import FLOORS, ROOT
from tests.support.database_urls import database_url
from tests.support.packed import NOT_SOURCE
from tests.support.processes import Running, run
from tests.support.time_limits import within
from tracker.postgres.database import Target

DAY = "2030-01-01"
MARK = "zzmarker"
"""The word by which a changed search index finds everything, and that of this checkout nothing."""
WRITE_TOKEN = "a-token-that-servers-of-both-releases-take"
CHANGES = {
    "domain": (
        "tracker/domain/**/export_control.py",
        "title=self.title,",
        'title=f"B: {self.title}",',
    ),
    "versions": (
        "projections/versions/rows.py",
        "partial(columns, title=title(state),",
        "partial(columns, period=None, title=title(state),",
    ),
    "search": (
        "projections/search_index/document.py",
        "return [passage for passage in _passages(state) if passage.text]",
        f'return [Passage("mark", "D", "{MARK}"), *_passages(state)]',
    ),
}
"""A changed line of the fold of each projection, and of the domain behind all folds."""
REPLAY = """
import asyncio, json, sys
from datetime import date
from projections.fold.replay import ReplayState
from tracker.log.recorder import Recorder
from tracker.postgres.database import create_pool

async def main(target, day, positions):
    replayed = ReplayState()
    async with await create_pool(target, size=1) as pool:
        async for event in Recorder(pool).read_all(max(positions, default=0)):
            replayed.add(event)
    return {each: replayed.digest(date.fromisoformat(day), each) for each in positions}

print(json.dumps(asyncio.run(main(*map(json.loads, sys.argv[1:])))))
"""


def copy_changed(
    directory: Path, file: str, before: str, after: str, *, newer: bool = True
) -> Path:
    """Copy the packages of this checkout, with one text of one file replaced, as a newer release."""
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, directory / floor, ignore=NOT_SOURCE)
    [path] = directory.glob(file)
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, file
    path.write_text(text.replace(before, after), encoding="utf-8")
    folds = directory / FOLDS.relative_to(ROOT)
    folds.write_text(
        re.sub(r"\d+", lambda number: str(int(number[0]) + newer), folds.read_text(), count=1)
    )
    return directory


def has_commit(commit: str) -> bool:
    """Whether the history of the checkout has a commit."""
    command = ["git", "-C", ROOT, "cat-file", "-e", f"{commit}^{{commit}}"]
    return (
        bool(shutil.which("git")) and subprocess.run(command, capture_output=True).returncode == 0
    )


def unpack_wheel(directory: Path, commit: str) -> Path:
    """Build the wheel of a commit and unpack it."""
    source = directory / "source"
    source.mkdir()
    archive = subprocess.run(
        ["git", "-C", ROOT, "archive", commit], check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", directory]
    subprocess.run([*build, source], check=True, capture_output=True, timeout=within(100))
    with zipfile.ZipFile(next(directory.glob("*.whl"))) as wheel:
        wheel.extractall(directory / "packages")
    return directory / "packages"


@dataclass(frozen=True)
class Release:
    """A release, with the database and key directory of its commands."""

    packages: Path
    target: Target
    data_dir: Path
    marks: bool = False
    """Whether its search index has the mark in every document."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment in which Python imports only this release."""
        target = self.target
        return {
            "PYTHONPATH": str(self.packages),
            "PYTHONSAFEPATH": "1",
            "TRACKER_WRITE_TOKEN": WRITE_TOKEN,
            "TRACKER_AUDIT_DIR": str(self.data_dir / "audit"),
            "TRACKER_DATABASE_URL": database_url(target),
        }

    def fits(self, moment: dict[str, Any]) -> bool:
        """Whether the search in an `ANSWER` is that of this release."""
        expected = moment["exportControls"]["totalCount"] if self.marks else 0
        return bool(moment["search"]["totalCount"] == expected)

    def serve(self, *arguments: str) -> Running:
        """Start a server, and return it once it responds."""
        return Running("serve", *arguments, data_dir=self.data_dir, **self.environment)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return run(*arguments, "--data-dir", str(self.data_dir), **self.environment)

    def replay(self, positions: Iterable[int]) -> dict[int, str]:
        """Return the digests of an in-memory replay by this release, by position."""
        arguments = [json.dumps(each) for each in (self.target, DAY, sorted(positions))]
        done = subprocess.run(
            [sys.executable, "-c", REPLAY, *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=within(60),
        )
        assert done.returncode == 0, done.stderr
        return {int(position): digest for position, digest in json.loads(done.stdout).items()}


def post(server: Running, text: str, **variables: Any) -> dict[str, Any]:
    """Return the response of a server, with its errors."""
    request = urllib.request.Request(
        f"{server.url}/graphql",
        json.dumps({"query": text, "variables": variables}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {WRITE_TOKEN}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=within(30)) as response:
            body = response.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    answer: dict[str, Any] = json.loads(body)
    return answer


def readiness(server: Running) -> tuple[int, dict[str, Any]]:
    """Return the status and content of `/readyz`."""
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=within(30)) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def codes(answer: dict[str, Any]) -> set[str]:
    """Return the error codes of a response."""
    return {error["extensions"]["code"] for error in answer.get("errors", ())}


@dataclass
class Writer:
    """A writer that sends mutations to a server sequentially, for the duration of a block."""

    server: Running
    name: str
    acknowledged: list[str] = field(default_factory=list)
    """Keys of the acknowledged entities."""
    failures: set[str] = field(default_factory=set)
    """Codes of errors."""

    def __enter__(self) -> Writer:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(within(30))

    def _write(self) -> None:
        number = 0
        while not self._ended.wait(0.05):
            number += 1
            key = f"{self.name}-{number}"
            with suppress(OSError):  # the server is stopped
                answer = post(self.server, document("announceExportControl"), input=control(key))
                self.failures |= codes(answer)
                if (answer.get("data") or {}).get("announceExportControl"):
                    self.acknowledged.append(key)


ANSWER = f"""{{ asOf(validAt: "{DAY}") {{
    position digest search(text: "{MARK}") {{ totalCount }} exportControls {{ totalCount }} }} }}"""
CHEAP_ANSWER = (
    f'{{ asOf(validAt: "{DAY}") {{ position search(text: "{MARK}") {{ totalCount }} }} }}'
)


class Gap:
    """Queries to some servers at once, for the duration of a block, and the longest time without an answer.

    Each query is new, so that no cache answers it. A slow server delays no query to another.
    """

    def __init__(self, text: str = ANSWER):
        self._text = text
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self._answered = time.monotonic()
        self._answers: dict[Path, tuple[float, float]] = {}
        self.seconds = 0.0
        self.wrong: list[Any] = []
        """Answers that are not those of the release of the server."""

    def __enter__(self) -> Gap:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(within(30))

    def handover(self, older: Release, newer: Release) -> float:
        """Return the seconds from the last answer of a release to the first of another."""
        return self._answers[newer.packages][0] - self._answers[older.packages][1]

    def add(self, release: Release, server: Running) -> Gap:
        """Query a server too, from two threads; return this."""
        for _ in range(2):
            thread = threading.Thread(target=self._watch, args=(release, server), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def _note(self, release: Release) -> None:
        now = time.monotonic()
        self.seconds, self._answered = max(self.seconds, now - self._answered), now
        first, _ = self._answers.get(release.packages, (now, now))
        self._answers[release.packages] = first, now

    def _watch(self, release: Release, server: Running) -> None:
        while not self._ended.wait(0.02):
            text = self._text.replace("asOf", f"n{time.monotonic_ns()}: asOf")
            with suppress(OSError):  # the server is stopped
                answer = post(server, text)
                if "errors" not in answer:
                    self._note(release)
                    [moment] = answer["data"].values()
                    if not release.fits(moment):
                        self.wrong.append(moment)


@dataclass
class Observer:
    """A comparison of ready servers with the replays of their releases."""

    failures: set[str] = field(default_factory=set)
    """Error codes of servers."""
    digests: dict[Path, dict[int, str]] = field(default_factory=dict)
    """Digests of each release by position."""
    releases: dict[Path, Release] = field(default_factory=dict)

    def look(self, release: Release, server: Running) -> bool:
        """Query a server, and return whether it was ready before and after."""
        before = readiness(server)[0]
        answer = post(server, ANSWER)
        after = readiness(server)[0]
        self.failures |= codes(answer)
        if (before, after) != (200, 200) or "errors" in answer:
            return False
        moment = answer["data"]["asOf"]
        assert release.fits(moment)
        self.releases[release.packages] = release
        seen = self.digests.setdefault(release.packages, {})
        assert seen.setdefault(int(moment["position"]), moment["digest"]) == moment["digest"]
        return True

    def differences(self) -> dict[Path, dict[int, str]]:
        """Return the digests that differ from the replay, by release and position."""
        found = {}
        for packages, seen in self.digests.items():
            replayed = self.releases[packages].replay(seen)
            found[packages] = {at: seen[at] for at in seen if seen[at] != replayed[at]}
        return {packages: wrong for packages, wrong in found.items() if wrong}
