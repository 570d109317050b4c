"""Mutants, and all mutants of a room."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.mutation.python_changes import is_python, python_changes
from tools.mutation.source_change import Change
from tools.mutation.sql_changes import sql_changes

ROOT = Path(__file__).parents[2]
ROOMS = {
    "domain": "tracker/domain",
    "log": "tracker/log",
    "postgres": "tracker/postgres",
    "library": "tracker/eventsourcing_asyncpg",
    "audit": "tracker/audit",
    "projections": "projections",
    "schema": "schema",
}
CHANGE_FINDERS = {".py": python_changes, ".sql": sql_changes}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One faulty change of one file."""

    id: str
    path: str
    change: Change
    source: str
    """Original content of the file."""

    @property
    def room(self) -> str:
        """Return the room of the file."""
        return next(room for room, under in ROOMS.items() if self.path.startswith(under))

    @property
    def line(self) -> int:
        """Return the number of its first line."""
        return self.source.count("\n", 0, self.change.start) + 1

    @property
    def text(self) -> str:
        """Return the changed content of the file."""
        return self.change.apply(self.source)

    @property
    def runs(self) -> bool:
        """Whether it can be compiled."""
        return not self.path.endswith(".py") or is_python(self.text)

    def __str__(self) -> str:
        before, after = (" ".join(part.split()) for part in (self.change.before, self.change.after))
        where = f"{self.path}:{self.line} {self.change.scope}".strip()
        return f"{self.id} {where}: {shorten(before)} → {shorten(after)}"


def shorten(text: str, letters: int = 90) -> str:
    """Return a text shortened to a line."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def find_mutants(path: str) -> list[Mutant]:
    """Return all mutants of a file or folder, relative to the checkout, in order."""
    return [mutant for file in _files(ROOT / path) for mutant in _of_file(file)]


def _files(path: Path) -> Iterator[Path]:
    candidates = [path] if path.is_file() else sorted(path.rglob("*.*"))
    return (file for file in candidates if file.suffix in CHANGE_FINDERS)


def _of_file(file: Path) -> Iterator[Mutant]:
    """Yield the mutants of a file. Their ids contain no line numbers, so they survive changes elsewhere."""
    source, path = file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix()
    earlier: Counter[tuple[str, ...]] = Counter()
    for change in CHANGE_FINDERS[file.suffix](source):
        name = (path, change.scope, change.before, change.after)
        earlier[name] += 1
        digest = hashlib.sha256("\0".join((*name, str(earlier[name]))).encode())
        yield Mutant(digest.hexdigest()[:8], path, change, source)
