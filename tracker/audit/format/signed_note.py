"""Signed notes: text followed by signatures (C2SP signed-note). Pure.

The head of the log is such a note (`checkpoint.py`). Keys have the format of Go's sumdb/note, so that other
tools can read them. A verifier key is `name+id+key`, a private key begins with `PRIVATE+KEY+`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from tracker.errors import InvalidInput, NotProven

ED25519, COSIGNATURE, RECEIPT = 0x01, 0x04, 0xFF
"""Signature types: of the log, of a witness, which also signs a time, and of the log for receipts."""
RECEIPT_IDENTIFIER = b"tracker-receipt"
"""Follows the type 0xff in the content of key ids, as C2SP requires for types without a number."""
PRIVATE_PREFIX = "PRIVATE+KEY+"
MAX_NOTE_BYTES = 1_000_000
"""Maximum length of a note."""
MAX_SIGNATURES = 100
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
KEY = re.compile(r"(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name; as text, `name+id+key`."""

    name: str
    public: bytes
    type: int = ED25519

    @property
    def id(self) -> int:
        """The number that identifies the key in signatures, together with the name."""
        content = self.name.encode() + b"\n" + self._typed
        return int.from_bytes(sha256(content).digest()[:4], "big")

    @property
    def for_receipts(self) -> Verifier:
        """The same key for signatures of receipts."""
        return replace(self, type=RECEIPT)

    @property
    def _typed(self) -> bytes:
        """The key after its type."""
        identifier = RECEIPT_IDENTIFIER if self.type == RECEIPT else b""
        return bytes([self.type]) + identifier + self.public

    def __str__(self) -> str:
        return f"{self.name}+{self.id:08x}+{to_base64(self._typed)}"

    @staticmethod
    def parse(text: str) -> Verifier:
        """Parse a key. Raises InvalidInput."""
        match = KEY.fullmatch(text)
        data = _bytes(match["key"]) if match else None
        if match and is_key_name(match["name"]) and _is_key(data):
            key = Verifier(match["name"], data[1:], data[0])
            if f"{key.id:08x}" == match["id"]:
                return key
        # It may be a private key by mistake, so the error does not contain it.
        raise InvalidInput(
            "expected a verifier key: name+id+key of an Ed25519 key (type 1) or of a"
            " witness (type 4)",
            path=("key",),
        )

    def verify(self, text: str, signature: bytes) -> int | None:
        """Verify a signature of a text. Return the time of a witness's signature, in seconds since 1970.

        Raises NotProven.
        """
        time = None
        message = text.encode()
        if self.type == COSIGNATURE:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = cosigned_text(text, time)
        elif self.type == RECEIPT:
            message = receipt_text(text)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise NotProven(
                f"the signature of {self.name} ({self.id:08x}) does not fit its text"
            ) from None
        return time


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name."""

    name: str
    _key: Ed25519PrivateKey
    type: int = ED25519

    @staticmethod
    def new(name: str, type: int = ED25519) -> Signer:
        """Generate a key. Raises InvalidInput for an invalid name."""
        return Signer(check_key_name(name), Ed25519PrivateKey.generate(), type)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self._key.public_key().public_bytes_raw(), self.type)

    @property
    def secret(self) -> str:
        """The key as text, including its private half."""
        data = bytes([self.type]) + self._key.private_bytes_raw()
        return f"{PRIVATE_PREFIX}{self.name}+{self.verifier.id:08x}+{to_base64(data)}"

    @staticmethod
    def parse(secret: str) -> Signer:
        """Parse a key. Raises InvalidInput, whose message does not contain the secret."""
        match = (
            KEY.fullmatch(secret.removeprefix(PRIVATE_PREFIX))
            if secret.startswith(PRIVATE_PREFIX)
            else None
        )
        data = _bytes(match["key"]) if match else None
        if match and is_key_name(match["name"]) and _is_key(data):
            key = Signer(match["name"], Ed25519PrivateKey.from_private_bytes(data[1:]), data[0])
            if f"{key.verifier.id:08x}" == match["id"]:
                return key
        raise InvalidInput(f"expected a private key as text: {PRIVATE_PREFIX}name+id+key")

    @property
    def for_receipts(self) -> Signer:
        """The same key for signatures of receipts."""
        return replace(self, type=RECEIPT)

    def sign(self, text: str, time: int = 0) -> Signature:
        """Sign a text; a witness also signs a time, in seconds since 1970."""
        if self.type == COSIGNATURE:
            signature = time.to_bytes(8, "big") + self._key.sign(cosigned_text(text, time))
        elif self.type == RECEIPT:
            signature = self._key.sign(receipt_text(text))
        else:
            signature = self._key.sign(text.encode())
        return Signature(self.name, self.verifier.id, signature)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature of a note; as text, its line without the newline."""

    name: str
    id: int
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {to_base64(self.id.to_bytes(4, 'big') + self.signature)}"

    @staticmethod
    def parse(line: str) -> Signature:
        """Parse a signature line. Raises NotProven."""
        match line.split(" "):
            case ["—", name, encoded] if is_key_name(name):
                data = _bytes(encoded)
                if data and len(data) > 4:
                    return Signature(name, int.from_bytes(data[:4], "big"), data[4:])
        raise NotProven(f"{line[:100]!r} is not a signature of a note")


class Note(Struct, frozen=True):
    """A text that ends with a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return "\n".join([self.text, *map(str, self.signatures), ""])

    @staticmethod
    def parse(data: bytes) -> Note:
        """Parse a note, without verification. Raises NotProven for an invalid one."""
        if len(data) > MAX_NOTE_BYTES or CONTROL.search(data):
            raise NotProven("a note has too many bytes, or control characters")
        try:
            text, blank, below = data.decode().rpartition("\n\n")
        except UnicodeDecodeError:
            raise NotProven("a note is not UTF-8") from None
        *lines, end = below.split("\n")
        if not blank or end or not 0 < len(lines) <= MAX_SIGNATURES:
            raise NotProven("a note does not end with an empty line and lines of signatures")
        return Note(text + "\n", tuple(map(Signature.parse, lines)))

    def verified_by(self, keys: Iterable[Verifier]) -> dict[Verifier, int | None]:
        """Return the keys that have signed, with the times of witnesses.

        Signatures of unknown keys are ignored. Raises NotProven if a signature of a known key is invalid,
        which indicates a forgery.
        """
        known = {(key.name, key.id): key for key in keys}
        times: dict[Verifier, int | None] = {}
        for signature in self.signatures:
            key = known.get((signature.name, signature.id))
            if key and key not in times:
                times[key] = key.verify(self.text, signature.signature)
        return times

    def check(self, keys: Sequence[Verifier]) -> None:
        """Check that one of the keys has signed. Raises NotProven."""
        if not self.verified_by(keys):
            known = ", ".join(f"{key.name} ({key.id:08x})" for key in keys)
            raise NotProven(f"the note is not signed by a known key: expected {known or 'any'}")


def cosigned_text(text: str, time: int) -> bytes:
    """Return the text that a witness signs (C2SP tlog-cosignature, cosignature/v1)."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def receipt_text(text: str) -> bytes:
    """Return the text that a log signs for a receipt.

    No checkpoint and no cosigned text has this first line and `tracker-receipt/v1` as its second.
    """
    return f"tracker-receipt-signature/v1\n{text}".encode()


def is_key_name(name: str) -> bool:
    """Return whether a key name is valid: letters without spaces and `+`."""
    return (
        bool(name)
        and "+" not in name
        and not any(letter.isspace() or not letter.isprintable() for letter in name)
    )


def check_key_name(name: str) -> str:
    """Return a valid key name. Raises InvalidInput."""
    if not is_key_name(name):
        raise InvalidInput(
            f"{name[:100]!r}: expected a name without spaces and +, such as example.com/log",
            path=("name",),
        )
    return name


def to_base64(data: bytes) -> str:
    """Encode bytes in base64 as in these formats (RFC 4648, section 4)."""
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Decode canonical base64. Raises NotProven."""
    data = _bytes(text)
    if data is None:
        raise NotProven(f"{text[:100]!r} is not base64")
    return data


def _is_key(data: bytes | None) -> TypeGuard[bytes]:
    return data is not None and len(data) == 33 and data[0] in (ED25519, COSIGNATURE)


def _bytes(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == text else None
