"""Run some tests on the lowest versions in pyproject.toml.

    python -m tools.lowest_versions [DIR] [arguments of pytest]
    python -m tools.lowest_versions DIR --install

It creates an environment in DIR (default: a temporary one) and installs the tracker with every library at the
first version of its range. It runs the tests that use the libraries most. Test tools are current versions,
because users do not install them. With `--install` it runs no tests; a later run uses the environment.
"""

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
DONE = "installed"
LIBRARIES = ("embedded", "graphiql", "otel")
"""Extras for users of the tracker."""
OTHER_TOOLS = {
    "aiosmtpd",
    "asyncpg-stubs",
    "build",
    "check-jsonschema",
    "critical-minerals-policy-tracker",
    "import-linter",
    "mypy",
    "pypdf",
    "ruff",
    "setuptools",
    "types-lxml",
}
"""Packages that are not needed here; some need newer libraries than the tracker does."""
TESTS = (
    "test_story.py",
    "schema/test_persisted.py",
    "schema/test_streams.py",
    "schema/test_observer.py",
    "schema/test_graphiql.py",
    "auth/test_oidc.py",
    "audit/test_receipts.py",
    "audit/test_signed_note.py",
    "sources/test_spreadsheet.py",
    "delivery/test_sender.py",
    "log/test_append.py",
    "eventsourcing_asyncpg/test_applications.py",
    "eventsourcing_asyncpg/test_closing.py",
    "deploy/test_terminal.py::test_a_terminal_of_any_encoding_shows_the_answer_as_json",
    "watch/test_markup.py",
    "web/test_robots.py",
)
"""Tests that together use every declared library."""
OF_NO_LIBRARY = "test_story.py::test_a_replay_in_memory_proves_what_the_database_says"
"""A long test of the files in TESTS that uses no library that others do not use."""


def lowest(requirements: list[str]) -> Iterator[str]:
    """Yield pins of the first version that each requirement allows."""
    for text in requirements:
        requirement = Requirement(text)
        [first] = [part.version for part in requirement.specifier if part.operator == ">="]
        marker = f"; {requirement.marker}" if requirement.marker else ""
        yield f"{requirement.name}=={first}{marker}"


def pins_and_tools() -> tuple[list[str], list[str]]:
    """Return pins of all libraries, and the other packages of the tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    libraries = [*project["dependencies"], *(r for name in LIBRARIES for r in extras[name])]
    known = {Requirement(text).name for text in libraries} | OTHER_TOOLS
    return list(lowest(libraries)), [r for r in extras["test"] if Requirement(r).name not in known]


def main(directory: Path, arguments: list[str]) -> int:
    """Create the environment if it is missing, run the tests, and return the exit code of pytest."""
    if not (directory / DONE).exists():
        install(directory)
    if arguments == ["--install"]:
        return 0
    python = directory / "venv" / "bin" / "python"
    # Two workers: each of them loads the corpus, which takes longer than many of these tests.
    short = ["-n", "2", "--deselect", f"tests/{OF_NO_LIBRARY}"]
    chosen = arguments or [*short, *(f"tests/{name}" for name in TESTS)]
    return subprocess.run([python, "-m", "pytest", *chosen], cwd=ROOT, check=False).returncode


def install(directory: Path) -> None:
    """Create the environment."""
    directory.mkdir(parents=True, exist_ok=True)
    pins, tools = pins_and_tools()
    constraints = directory / "constraints.txt"
    constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
    python = directory / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    wanted = ["--quiet", "-c", constraints, "-e", f"{ROOT}[{','.join(LIBRARIES)}]", *tools]
    uv = [sys.executable, "-m", "uv", "pip", "install", "--python", python]
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    if subprocess.run(
        [*uv, *wanted], check=False
    ).returncode:  # settings of pip that uv does not read
        subprocess.run([*pip, *wanted], check=True)
    (directory / DONE).touch()


if __name__ == "__main__":
    given = sys.argv[1:]
    if given:
        sys.exit(main(Path(given[0]).resolve(), given[1:]))
    with tempfile.TemporaryDirectory(prefix="tracker-lowest-") as temporary:
        sys.exit(main(Path(temporary), []))
