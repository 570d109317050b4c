"""The release that maintains the rows: the one whose fold is registered with them.

A rebuild registers the fold of its code. Rows are rebuilt only at the start of a server and by `tracker
rebuild`. So of two servers with different folds, the later one maintains the rows, and the other waits
for a restart. A server does not replace rows of a release with a higher version number.
"""

from __future__ import annotations

import re
from importlib.metadata import version

from tracker.errors import Unavailable

RELEASE = version("critical-minerals-policy-tracker")
"""The version of this release."""
SHOWN_CHARACTERS = 12
"""Displayed characters of a fold."""


class AnotherRelease(Unavailable):
    """The error for rows of another release, which this one must neither read nor write."""

    def __init__(self, registered: str, release: str, own: str, remedy: str = "restart with it"):
        super().__init__(
            f"another release maintains the rows; {remedy} (fold {registered[:SHOWN_CHARACTERS]} of"
            f" {release}, here {own[:SHOWN_CHARACTERS]} of {RELEASE})"
        )


def is_newer(release: str) -> bool:
    """Whether a release has a higher version number; a pre-release counts as its release."""
    return _number(release) > _number(RELEASE)


def _number(release: str) -> tuple[int, ...]:
    parts = re.match(r"\d+(?:\.\d+)*", release)
    return tuple(int(part) for part in parts[0].split(".")) if parts else ()
