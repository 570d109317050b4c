"""Cosignature of a mirror (C2SP tlog-cosignature, tlog-mirror).

It states that the mirror has seen no other history of this log, and has all of this one on its disk. Like a
witness, a mirror must not sign two histories. After its directory was lost or restored from an older copy, it
needs a new key.
"""

from __future__ import annotations

from msgspec import Struct

from tracker.audit.format.signed_note import COSIGNATURE, MAX_SIGNATURES, Note, Signature, Signer
from tracker.errors import InvalidInput, Rejected


class Cosigner(Struct, frozen=True):
    """Signs checkpoints as a mirror."""

    signer: Signer

    @staticmethod
    def parse(secret: str) -> Cosigner:
        """Parse a cosigner's key. Raises InvalidInput."""
        signer = Signer.parse(secret.strip())
        if signer.type != COSIGNATURE:
            raise InvalidInput(
                "expected the key of a cosigner (type 4), as `tracker key cosigner` makes it:"
                " the key of a log signs only the log"
            )
        return Cosigner(signer)

    def cosign(self, note: bytes, earlier: bytes | None, time: int) -> bytes:
        """Return a note with the mirror's signature, made at a time in seconds since 1970.

        An earlier signature of the same text is reused. Raises Rejected (BAD_CHECKPOINT) for a note without
        room for it.
        """
        parsed = Note.parse(note)
        others = [each for each in parsed.signatures if not self._is_own(each)]
        if len(others) == MAX_SIGNATURES:
            raise Rejected(
                "BAD_CHECKPOINT",
                f"the checkpoint has {MAX_SIGNATURES} signatures: no room for another",
            )
        own = self._earlier(parsed.text, earlier) or self.signer.sign(parsed.text, time)
        return str(Note(parsed.text, (*others, own))).encode()

    def _earlier(self, text: str, note: bytes | None) -> Signature | None:
        """Return the signature of the previous note, if it has the same text."""
        parsed = Note.parse(note) if note else None
        if parsed is None or parsed.text != text:
            return None
        return next(filter(self._is_own, parsed.signatures), None)

    def _is_own(self, signature: Signature) -> bool:
        return (signature.name, signature.id) == (self.signer.name, self.signer.verifier.id)
