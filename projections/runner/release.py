"""Which release maintains the rows of a projection: the one whose fold is registered beside them.

A rebuild registers the fold of its code. Only a server at its own start, and `tracker rebuild`, make
rows anew; a server that runs never does. So of two servers with other folds the one that started later
maintains the rows, and the other one waits to be restarted. A server does not take rows from a release
that is newer by its version number.
"""

from __future__ import annotations

import re
from importlib.metadata import version

from tracker.errors import Unavailable

RELEASE = version("critical-minerals-policy-tracker")
"""The version of this release."""
SHOWN_CHARACTERS = 12
"""Characters of a fold that tell it from others."""


class AnotherRelease(Unavailable):
    """The rows follow from the code of another release, so this one must neither read nor write them."""

    def __init__(self, registered: str, release: str, own: str, remedy: str = "restart with it"):
        super().__init__(
            f"another release maintains the rows; {remedy} (fold {registered[:SHOWN_CHARACTERS]} of"
            f" {release}, here {own[:SHOWN_CHARACTERS]} of {RELEASE})"
        )


def is_newer(release: str) -> bool:
    """Whether a release is newer than this one by its number; a pre-release counts as its release."""
    return _number(release) > _number(RELEASE)


def _number(release: str) -> tuple[int, ...]:
    parts = re.match(r"\d+(?:\.\d+)*", release)
    return tuple(int(part) for part in parts[0].split(".")) if parts else ()
