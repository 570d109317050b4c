"""The version of the derivation: the rules that lead from events to answers.

`derivation.toml` lists all versions. Tests compare recorded answers with the present ones, so that the number
changes exactly if an answer does.
"""

from pathlib import Path

import msgspec


class DerivationVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of the derivation, with the releases that have it."""

    number: int
    first_release: str
    reason: str
    """The change since the previous version."""
    last_release: str | None = None
    """None for the present version."""


VERSIONS = msgspec.toml.decode(
    Path(__file__).with_name("derivation.toml").read_bytes(),
    type=dict[str, list[DerivationVersion]],
)["versions"]
"""All versions, oldest first."""
DERIVATION = VERSIONS[-1].number
"""The number of the present version."""


def changes_between(first: int, second: int) -> tuple[DerivationVersion, ...]:
    """Return the versions after the smaller number, up to the larger one."""
    low, high = sorted((first, second))
    return tuple(version for version in VERSIONS if low < version.number <= high)
