"""Texts of a transparency log: checkpoints, proofs, requests to witnesses. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from tracker.audit.format.merkle import HASH_BYTES
from tracker.audit.format.signed_note import from_base64, to_base64
from tracker.errors import NotProven

NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_HASHES = 63
"""Maximum number of hashes in a proof."""


class Checkpoint(Struct, frozen=True):
    """The head of a log: its name, its number of entries, and the root of their tree.

    Its text is the text of a note (C2SP tlog-checkpoint). Our checkpoints have no extension lines, and those
    of others are ignored.
    """

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @staticmethod
    def parse(text: str) -> Checkpoint:
        """Parse a checkpoint from the text of a note. Raises NotProven."""
        lines = text.split("\n")
        if len(lines) < 4 or "" in lines[:-1] or lines[-1]:
            raise NotProven("a checkpoint has fewer than three lines, or empty ones")
        root = from_base64(lines[2])
        if len(root) != HASH_BYTES:
            raise NotProven(
                f"the root of a checkpoint has {len(root)} bytes: expected {HASH_BYTES}"
            )
        return Checkpoint(lines[0], parse_number(lines[1]), root)


class InclusionProof(Struct, frozen=True):
    """A proof that an entry is in the tree of a checkpoint; its text is a C2SP tlog-proof."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    """The whole note, including signatures."""

    def __str__(self) -> str:
        return "\n".join(
            [PROOF_HEADER, f"index {self.index}", *map(to_base64, self.hashes), "", self.checkpoint]
        )

    @staticmethod
    def parse(text: str) -> InclusionProof:
        """Parse a proof; extra data is ignored. Raises NotProven."""
        head, _, checkpoint = text.partition("\n\n")
        first, *lines = head.split("\n")
        if lines and lines[0].startswith("extra "):
            from_base64(lines.pop(0).removeprefix("extra "))
        if first != PROOF_HEADER or not lines or not lines[0].startswith("index "):
            raise NotProven(f"expected a proof that begins with {PROOF_HEADER} and an index")
        return InclusionProof(
            parse_number(lines[0].removeprefix("index ")), parse_hashes(lines[1:]), checkpoint
        )


class ConsistencyProof(Struct, frozen=True):
    """A proof that a checkpoint's tree begins with the tree of size `old`.

    Its text is the body of a request `add-checkpoint` (C2SP tlog-witness).
    """

    old: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    """The whole note, including signatures."""

    def __str__(self) -> str:
        return "\n".join([f"old {self.old}", *map(to_base64, self.hashes), "", self.checkpoint])

    @staticmethod
    def parse(text: str) -> ConsistencyProof:
        """Parse a proof. Raises NotProven."""
        head, _, checkpoint = text.partition("\n\n")
        first, *lines = head.split("\n")
        if not first.startswith("old "):
            raise NotProven("expected a proof that begins with the old size")
        return ConsistencyProof(
            parse_number(first.removeprefix("old ")), parse_hashes(lines), checkpoint
        )


def parse_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Parse the hashes of a proof from their lines. Raises NotProven."""
    hashes = tuple(from_base64(line) for line in lines)
    if len(hashes) > MAX_PROOF_HASHES or any(len(hash) != HASH_BYTES for hash in hashes):
        raise NotProven(
            f"expected at most {MAX_PROOF_HASHES} hashes of {HASH_BYTES} bytes in a proof"
        )
    return hashes


def parse_number(text: str) -> int:
    """Parse a number in its canonical form. Raises NotProven."""
    if not NUMBER.fullmatch(text) or int(text) >= 2**63:
        raise NotProven(f"{text[:50]!r} is not a number from 0 to 2^63-1")
    return int(text)
