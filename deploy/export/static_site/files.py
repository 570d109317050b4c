"""The files of a static site: written beside it, then renamed, the manifest last.

A manifest that is not `complete` lists the files of an interrupted run, which the next run replaces.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from tracker.audit.bundle.export import directory_lock
from tracker.audit.bundle.files import report_path
from tracker.errors import InvalidInput
from tracker.snapshots.digest import sha256_of

MANIFEST = "manifest.json"
CONTENT = "static site"
"""The content of the directory, as its manifest names it."""
PART_PREFIX = ".part-"


class SiteFiles:
    """The files of a site: the present ones, and the changed ones before they are renamed."""

    def __init__(self, directory: Path, part: Path, before: frozenset[str]):
        self._directory = directory
        self._part = part
        self._before = before
        self._files: dict[str, dict[str, Any]] = {}
        self.changed: list[str] = []

    def write(self, name: str, content: bytes) -> None:
        """Write a file beside the site, unless the site has the same content."""
        self._describe(name, content)
        if _content(self._directory / name) == content:
            return
        with report_path(self._part / name) as path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.changed.append(name)

    def present(self, name: str) -> bytes | None:
        """Return the content of a file of the present site; None if it has none."""
        return _content(self._directory / name)

    def add_directory(self, name: str) -> None:
        """Add the files of a directory that is written already, such as the bundle of the log."""
        for path in sorted((self._directory / name).rglob("*")):
            if path.is_file():
                self._describe(path.relative_to(self._directory).as_posix(), path.read_bytes())

    @property
    def total_bytes(self) -> int:
        """Return the size of all files."""
        return sum(each["bytes"] for each in self._files.values())

    @property
    def count(self) -> int:
        """Return the number of all files."""
        return len(self._files)

    def finish(self, about: Mapping[str, Any]) -> int:
        """Rename the changed files, delete those of an earlier run, and write the manifest.

        Returns the number of deleted files.
        """
        names = self._before | self._files.keys()
        stale = self._before - self._files.keys()
        files = [self._files[name] for name in sorted(self._files)]
        os.sync()
        with report_path(self._directory):
            if self.changed or stale:
                self._write_manifest({"files": [{"name": name} for name in sorted(names)]}, False)
            for name in self.changed:
                target = self._directory / name
                target.parent.mkdir(parents=True, exist_ok=True)
                (self._part / name).replace(target)
            for name in stale:
                (self._directory / name).unlink(missing_ok=True)
            self._write_manifest({**about, "files": files}, True)
        os.sync()
        return len(stale)

    def _describe(self, name: str, content: bytes) -> None:
        self._files[name] = {"name": name, "bytes": len(content), "sha256": sha256_of(content)}

    def _write_manifest(self, about: Mapping[str, Any], complete: bool) -> None:
        manifest = {"content": CONTENT, "complete": complete, **about}
        content = orjson.dumps(manifest, option=orjson.OPT_INDENT_2) + b"\n"
        if _content(self._directory / MANIFEST) != content:
            part = self._part / MANIFEST
            part.write_bytes(content)
            part.replace(self._directory / MANIFEST)


@contextmanager
def open_site(directory: Path) -> Iterator[SiteFiles]:
    """Open the directory of a site for writing, and remove what an interrupted run left.

    Raises InvalidInput for other content (NOT_EMPTY), links to directories (LINK_REFUSED), a lock, and
    errors of the system.
    """
    with report_path(directory):
        before = _names_before(directory)
    with directory_lock(directory):
        _refuse_links(directory)
        with report_path(directory):
            for left in directory.glob(f"{PART_PREFIX}*"):
                shutil.rmtree(left)
            part = Path(tempfile.mkdtemp(prefix=PART_PREFIX, dir=directory))
        try:
            yield SiteFiles(directory, part, before)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _refuse_links(directory: Path) -> None:
    """Refuse a site with a link to another directory, into which files would be written."""
    for parent, names, _ in os.walk(directory):
        for path in (Path(parent, name) for name in names):
            if path.is_symlink():
                raise InvalidInput(
                    f"{path} is a link to another directory: replace it by a directory",
                    code="LINK_REFUSED",
                )


def _names_before(directory: Path) -> frozenset[str]:
    """Return the files of the present manifest. Raises InvalidInput for other content."""
    try:
        manifest = orjson.loads((directory / MANIFEST).read_bytes())
        names = frozenset(str(file["name"]) for file in manifest["files"])
        paths = map(PurePosixPath, names)
        if manifest["content"] == CONTENT and not any(
            path.is_absolute() or ".." in path.parts for path in paths
        ):
            return names
    except FileNotFoundError:
        if not directory.exists() or all(
            path.name.startswith(PART_PREFIX) or path.name == "log" for path in directory.iterdir()
        ):
            return frozenset()
    except (ValueError, LookupError, TypeError):
        pass
    raise InvalidInput(
        f"{directory}: expected a new or empty directory, or an earlier static site",
        code="NOT_EMPTY",
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
