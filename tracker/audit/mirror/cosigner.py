"""The signature of a mirror under what it has (C2SP tlog-cosignature, tlog-mirror).

It says two things: the mirror has seen no other history of this log, and has all of this one on its disk.
Like a witness it must not sign two histories: a mirror whose directory was lost, or put back from an older
copy, needs a new key.
"""

from __future__ import annotations

from dataclasses import dataclass

from tracker.audit.format.signed_note import COSIGNATURE, MAX_SIGNATURES, Note, Signature, Signer
from tracker.errors import InvalidInput, Rejected


@dataclass(frozen=True, slots=True)
class Cosigner:
    """Signs checkpoints as a mirror."""

    signer: Signer

    @staticmethod
    def parse(secret: str) -> Cosigner:
        """A cosigner from the text of its key. Raises InvalidInput."""
        signer = Signer.parse(secret.strip())
        if signer.type != COSIGNATURE:
            raise InvalidInput(
                "expected the key of a cosigner (type 4), as `tracker key cosigner` makes it:"
                " the key of a log signs only the log"
            )
        return Cosigner(signer)

    def cosign(self, note: bytes, earlier: bytes | None, time: int) -> bytes:
        """A note with the mirror's signature, made at a time in seconds since 1970, or earlier under the
        same text. Raises Rejected (BAD_CHECKPOINT) for a note with no room for it."""
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
        """The signature under a note of before, if it is of the same text."""
        parsed = Note.parse(note) if note else None
        if parsed is None or parsed.text != text:
            return None
        return next(filter(self._is_own, parsed.signatures), None)

    def _is_own(self, signature: Signature) -> bool:
        return (signature.name, signature.id) == (self.signer.name, self.signer.verifier.id)
