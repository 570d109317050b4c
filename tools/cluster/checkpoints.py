"""Published checkpoints, checked by independent code: RFC 6962 and signed notes. Pure.

The check uses no code of the tracker, so that an error there cannot hide itself.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_ID_BYTES = 4


class NotConsistent(Exception):
    """A checkpoint that does not belong to the log."""


class Head(NamedTuple):
    """The contents of a checkpoint."""

    size: int
    root: bytes


class Tree:
    """The Merkle tree over entries, as RFC 6962 defines it."""

    def __init__(self, entries: Sequence[bytes]):
        self._leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
        self._whole: dict[tuple[int, int], bytes] = {}

    def __len__(self) -> int:
        return len(self._leaves)

    def root(self, size: int) -> bytes:
        """Return the hash over the first entries."""
        return self._hash(0, size) if size else hashlib.sha256(b"").digest()

    def _hash(self, first: int, size: int) -> bytes:
        """Return MTH of RFC 6962, section 2.1, of some entries; hashes over powers of two are cached."""
        if size == 1:
            return self._leaves[first]
        if (first, size) in self._whole:
            return self._whole[first, size]
        left = 1 << ((size - 1).bit_length() - 1)
        both = self._hash(first, left) + self._hash(first + left, size - left)
        made = hashlib.sha256(b"\1" + both).digest()
        if size & (size - 1) == 0:
            self._whole[first, size] = made
        return made


def read_head(note: str, key: str) -> Head:
    """Return the contents of a checkpoint signed by a key. Raises NotConsistent for a wrong signature."""
    text, _, signatures = note.partition("\n\n")
    name, _, encoded = key.split("+", 2)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        if dash == "—" and signer == name:
            try:
                public.verify(base64.b64decode(signature)[KEY_ID_BYTES:], f"{text}\n".encode())
            except InvalidSignature as error:
                raise NotConsistent(f"a wrong signature: {note}") from error
            _, size, root = text.split("\n")[:3]
            return Head(int(size), base64.b64decode(root))
    raise NotConsistent(f"not signed by {name}: {note}")


def check_heads(heads: Sequence[Head], entries: Sequence[bytes]) -> None:
    """Check that every head belongs to this log, so that all are consistent. Raises NotConsistent."""
    tree = Tree(entries)
    for head in heads:
        if head.size > len(tree):
            raise NotConsistent(f"{head.size} events are signed; the log has {len(tree)}")
        if tree.root(head.size) != head.root:
            raise NotConsistent(f"the first {head.size} events are not those that were signed")
