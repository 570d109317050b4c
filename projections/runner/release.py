"""The number of this release, which says who may replace rows of whom.

The version of the package is the same in many builds, so it orders nothing. The number has two parts: the
newest migration, and the number of the folds (`folds.toml`), which a test requires to grow with every change
of a fold. Rows have the number of the release that built them, and only a higher one takes them over.
"""

import re
import tomllib
from pathlib import Path

from tracker.postgres.migrate import DIRECTORY

FOLDS = Path(__file__).with_name("folds.toml")
"""The number of the folds, and the fingerprint of each, written by `tests.projections.record_folds`."""
RELEASE = "{}.{}".format(
    max(int(path.name[:4]) for path in DIRECTORY.glob("*.sql")),
    tomllib.loads(FOLDS.read_text(encoding="utf-8"))["number"],
)
"""The number of this release: migration and folds, such as 29.1."""


def number(release: str) -> tuple[int, ...]:
    """Return the order of a release. A version such as 0.1.0, of rows of earlier releases, is lower."""
    parts = re.match(r"\d+(?:\.\d+)*", release)
    return tuple(int(part) for part in parts[0].split(".")) if parts else ()
