"""Hash of an entry: identifies the entry at a position."""

from hashlib import sha256


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + entry).digest()
