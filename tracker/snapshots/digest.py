"""Names of snapshots: the SHA-256 of their bytes. Pure."""

import hashlib
import re

from tracker.errors import InvalidInput

MAX_SNAPSHOT_BYTES = 64_000_000
"""Maximum size of a snapshot in bytes."""
SHA256_DIGITS = re.compile("[0-9a-f]{64}")


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_bytes(sha256: str) -> bytes:
    """Return the bytes of a SHA-256 in hexadecimal digits. Raises InvalidInput."""
    if not SHA256_DIGITS.fullmatch(sha256):
        raise InvalidInput(
            "expected a SHA-256 of 64 hexadecimal digits in small letters", path=("sha256",)
        )
    return bytes.fromhex(sha256)
