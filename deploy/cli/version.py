"""The version of the program, read without its slow imports."""

from __future__ import annotations

import os
import sys

import tracker

PACKAGE = "critical-minerals-policy-tracker"


def version_text() -> str:
    """Return the version of the program, of Python and of the database schema."""
    return (
        f"tracker {package_version()}\nPython {sys.version.split()[0]}\n"
        f"tables: migration {_last_migration()}"
    )


def package_version() -> str:
    """Return the version of the installed package, from the name of its metadata."""
    prefix, suffix = f"{PACKAGE.replace('-', '_')}-", ".dist-info"
    for directory in filter(os.path.isdir, sys.path):
        for name in os.listdir(directory):
            if name.startswith(prefix) and name.endswith(suffix):
                return name[len(prefix) : -len(suffix)]
    from importlib.metadata import version  # slower; works for other kinds of installation

    return version(PACKAGE)


def _last_migration() -> int:
    directory = os.path.join(tracker.__path__[0], "postgres", "migrations")
    return max(int(name[:4]) for name in os.listdir(directory) if name.endswith(".sql"))
