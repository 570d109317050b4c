"""The files of a static site: a new directory beside the present one, which it replaces in one step.

The new directory has hard links to the files that stay the same. A run that is interrupted leaves the present
site, and the next run removes what it has written.
"""

import ctypes
import errno
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
CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}
"""Errors of a file system that cannot exchange directories."""
AT_CURRENT_DIRECTORY, EXCHANGE = -100, 2
"""`AT_FDCWD` and `RENAME_EXCHANGE` of Linux."""


class SiteFiles:
    """The files of a site: the present ones, and those of the directory that will replace them."""

    def __init__(self, directory: Path, part: Path, before: frozenset[str]):
        self._directory = directory
        self._part = part
        self._before = before
        self._files: dict[str, dict[str, Any]] = {}
        self.changed: list[str] = []

    def write(self, name: str, content: bytes) -> None:
        """Write a file of the new directory, unless the site has the same content."""
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

    def linked(self, name: str) -> Path:
        """Return a new directory with links to the present files, for a writer that replaces files."""
        _link_files(self._directory / name, self._part / name)
        return self._part / name

    def add_directory(self, name: str) -> None:
        """Add the files of a directory that is written already, such as the bundle of the log."""
        for path in sorted((self._part / name).rglob("*")):
            if path.is_file():
                self._describe(path.relative_to(self._part).as_posix(), path.read_bytes())

    @property
    def total_bytes(self) -> int:
        """Return the size of all files."""
        return sum(each["bytes"] for each in self._files.values())

    @property
    def count(self) -> int:
        """Return the number of all files."""
        return len(self._files)

    def finish(self, about: Mapping[str, Any]) -> int:
        """Replace the present directory by one with the new files and its other files.

        Files of an earlier run that are no longer part of the site are left out. Returns their number.
        """
        stale = self._before - self._files.keys()
        files = [self._files[name] for name in sorted(self._files)]
        manifest = orjson.dumps(
            {"content": CONTENT, **about, "files": files}, option=orjson.OPT_INDENT_2
        )
        with report_path(self._directory):
            if _content(self._directory / MANIFEST) != manifest + b"\n":
                (self._part / MANIFEST).write_bytes(manifest + b"\n")
            _link_files(self._directory, self._part, stale)
            shutil.copystat(self._directory, self._part)
            os.sync()
            _exchange(self._part, self._directory)
            os.sync()
        return len(stale)

    def _describe(self, name: str, content: bytes) -> None:
        self._files[name] = {"name": name, "bytes": len(content), "sha256": sha256_of(content)}


@contextmanager
def open_site(directory: Path) -> Iterator[SiteFiles]:
    """Open the directory of a site for writing, and remove what an interrupted run left.

    Raises InvalidInput for other content (NOT_EMPTY), links to directories (LINK_REFUSED), a mount point
    (MOUNT_POINT), a lock, and errors of the system.
    """
    with report_path(directory):
        directory = directory.resolve()
        if directory.is_mount():
            raise InvalidInput(
                f"{directory} is a mount point: expected a directory in it, because a new one replaces it",
                code="MOUNT_POINT",
            )
        if (old := _old(directory)).exists():
            shutil.rmtree(old) if directory.exists() else old.rename(directory)
        before = _names_before(directory)
    with directory_lock(directory):
        _refuse_links(directory)
        prefix = f".{directory.name}.part-"
        with report_path(directory.parent):
            for left in directory.parent.glob(f"{prefix}*"):
                shutil.rmtree(left)
            part = Path(tempfile.mkdtemp(prefix=prefix, dir=directory.parent))
        try:
            yield SiteFiles(directory, part, before)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _link_files(source: Path, target: Path, omitted: frozenset[str] = frozenset()) -> None:
    """Link the files of a directory, without some of them, that another directory lacks."""
    for parent, _, names in os.walk(source):
        below = os.path.relpath(parent, source)
        made = os.path.join(target, below)
        kept = [name for name in names if os.path.normpath(f"{below}/{name}") not in omitted]
        if kept:
            os.makedirs(made, exist_ok=True)
        for name in kept:
            if not os.path.lexists(new := os.path.join(made, name)):
                os.link(os.path.join(parent, name), new, follow_symlinks=False)


def _exchange(new: Path, present: Path) -> None:
    """Exchange two directories in one step; in two steps in a file system that cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    at, paths = AT_CURRENT_DIRECTORY, (os.fsencode(new), os.fsencode(present))
    if rename and not rename(at, paths[0], at, paths[1], EXCHANGE):
        return
    if rename and (code := ctypes.get_errno()) not in CANNOT_EXCHANGE:
        raise OSError(code, os.strerror(code))
    present.rename(_old(present))
    new.rename(present)
    shutil.rmtree(_old(present))


def _old(directory: Path) -> Path:
    """Return the place of the present directory between the two steps."""
    return directory.with_name(f".{directory.name}.old")


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
        if not directory.exists() or all(path.name == "log" for path in directory.iterdir()):
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
