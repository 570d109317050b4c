"""Check that the import names of the tracker lead to its own code.

`schema` is also a package on PyPI. In one environment the two overwrite each other's files, and neither
works. A file with such a name earlier in Python's path has the same effect.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

NAMES = ("deploy", "projections", "schema", "tracker")
OURS = "critical-minerals-policy-tracker"
MODULE = re.compile(rf"^\"?({'|'.join(NAMES)})(?:/__init__)?\.py\"?,", re.MULTILINE)
"""Pattern of such a package or module in a distribution's list of files."""
HELP = (
    "The tracker needs its own environment: create one (`python3 -m venv DIRECTORY`, or `pipx`, "
    "or `uv tool`) and install it there."
)


class InstalledDistribution(Protocol):
    """The used part of a distribution: its name, and its metadata files."""

    @property
    def name(self) -> str: ...

    def read_text(self, filename: str) -> str | None: ...


def wrong_names() -> str:
    """Return the problems with import names as a message; empty without problems."""
    home = Path(__file__).parents[2]
    problems = [*strangers(distributions()), *strays(home, {name: _place(name) for name in NAMES})]
    return "\n".join([*problems, HELP]) if problems else ""


def strangers(installed: Iterable[Distribution | InstalledDistribution]) -> Iterator[str]:
    """Yield sentences on other distributions with packages of our names. Pure."""
    seen = set()
    for distribution in installed:
        for name in MODULE.findall(distribution.read_text("RECORD") or ""):
            if _same(distribution.name, OURS) or (distribution.name, name) in seen:
                continue
            seen.add((distribution.name, name))
            yield (
                f"`{name}` is a package of the tracker, and one of the distribution"
                f" {distribution.name}, which is installed beside it. Uninstalling that one takes files"
                " of the tracker along, which then is to be installed again."
            )


def strays(home: Path, places: Mapping[str, Path | None]) -> Iterator[str]:
    """Yield sentences on names that lead outside the packages below a directory. Pure."""
    for name, place in places.items():
        if place != home / name / "__init__.py":
            led = f"to {place}" if place else "nowhere"
            yield f"`{name}` leads {led}, and not to the tracker in {home}."


def _place(name: str) -> Path | None:
    """Return the file that a name is imported from."""
    spec = find_spec(name)
    return Path(spec.origin) if spec and spec.origin else None


def _same(one: str, other: str) -> bool:
    """Whether an installer treats two distribution names as equal."""
    return re.sub(r"[-_.]+", "-", one).lower() == re.sub(r"[-_.]+", "-", other).lower()
