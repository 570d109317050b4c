"""The version of the program, read without its slow imports."""

import os
import sys

import tracker

PACKAGE = "critical-minerals-policy-tracker"


def version_text() -> str:
    """Return the version of the program, of Python, of the database schema and of the folds."""
    last = _last_migration()
    return (
        f"tracker {package_version()}\nPython {sys.version.split()[0]}\n"
        f"tables: migration {last}\nrows: release {last}.{_fold_number()}"
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


def _fold_number() -> int:
    """Return the number of the folds, as `projections.runner.release` reads it."""
    packages = os.path.dirname(tracker.__path__[0])
    path = os.path.join(packages, "projections", "runner", "folds.toml")
    with open(path, encoding="utf-8") as file:
        return int(file.readline().rpartition("=")[2])
