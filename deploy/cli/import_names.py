"""Whether the names that the tracker's code is imported by lead to its code, and to no other's.

`schema` is also a package of the index. Installed into the same environment the two write over each other's
files, and what then runs is neither; a file of such a name where Python looks first does the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

NAMES = ("deploy", "projections", "schema", "tracker")
OURS = "critical-minerals-policy-tracker"
MODULE = re.compile(rf"^\"?({'|'.join(NAMES)})(?:/__init__)?\.py\"?,", re.MULTILINE)
"""The line of a package or module of such a name in a distribution's list of its files."""
HELP = (
    "The tracker wants an environment of its own: make one (`python3 -m venv DIRECTORY`, or `pipx`, or"
    " `uv tool`) and install it there."
)


class InstalledDistribution(Protocol):
    """What is asked of a distribution: its name, and the text of a file that describes it."""

    @property
    def name(self) -> str: ...

    def read_text(self, filename: str) -> str | None: ...


def wrong_names() -> str:
    """What is wrong with the names, for who started the tracker; empty if nothing is."""
    home = Path(__file__).parents[2]
    found = [*strangers(distributions()), *strays(home, {name: _place(name) for name in NAMES})]
    return "\n".join([*found, HELP]) if found else ""


def strangers(installed: Iterable[Distribution | InstalledDistribution]) -> Iterator[str]:
    """Sentences on other distributions that bring packages of our names. Pure."""
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
    """Sentences on names that lead elsewhere than to the packages below a directory. Pure."""
    for name, place in places.items():
        if place != home / name / "__init__.py":
            led = f"to {place}" if place else "nowhere"
            yield f"`{name}` leads {led}, and not to the tracker in {home}."


def _place(name: str) -> Path | None:
    """The file that a name is imported from."""
    spec = find_spec(name)
    return Path(spec.origin) if spec and spec.origin else None


def _same(one: str, other: str) -> bool:
    """Whether two names of distributions are the same to an installer."""
    return re.sub(r"[-_.]+", "-", one).lower() == re.sub(r"[-_.]+", "-", other).lower()
