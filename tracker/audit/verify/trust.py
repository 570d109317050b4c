"""The trust policy of an auditor: the keys of the log, and witnesses whose cosignatures are required."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import Note, Verifier
from tracker.errors import NotProven, Rejected


@dataclass(frozen=True, slots=True)
class TrustedCheckpoint:
    """A trusted checkpoint: the note as read, and its signers and cosigners."""

    note: bytes
    checkpoint: Checkpoint
    signers: tuple[Verifier, ...]

    @property
    def size(self) -> int:
        """The number of events that it commits to: the last position."""
        return self.checkpoint.size


class TrustPolicy(Struct, frozen=True):
    """The log's keys and the witnesses. One of the keys and all of the witnesses must have signed."""

    keys: tuple[Verifier, ...]
    witnesses: tuple[Verifier, ...] = ()

    def verify_head(self, data: bytes, name: str) -> TrustedCheckpoint:
        """Verify a note and return its checkpoint; `name` is the note's name in errors.

        Raises Rejected: BAD_CHECKPOINT, BAD_SIGNATURE, UNKNOWN_KEY, WRONG_ORIGIN, NOT_WITNESSED.
        """
        note, checkpoint = parse_head(data, name)
        try:
            signed_at = note.verified_by((*self.keys, *self.witnesses))
        except NotProven as error:
            raise Rejected("BAD_SIGNATURE", f"{name}: {error.message}") from None
        signers = [key for key in self.keys if key in signed_at]
        if not signers:
            raise Rejected(
                "UNKNOWN_KEY",
                f"{name} is signed by none of the keys that you trust: {_key_names(self.keys)}",
            )
        if checkpoint.origin not in {key.name for key in signers}:
            raise Rejected(
                "WRONG_ORIGIN",
                f"{name} is of {checkpoint.origin!r}, which is not the"
                f" name of the key that signed it: {_key_names(signers)}",
            )
        if silent := [key for key in self.witnesses if key not in signed_at]:
            raise Rejected("NOT_WITNESSED", f"{name} is not cosigned by {_key_names(silent)}")
        return TrustedCheckpoint(data, checkpoint, tuple(signed_at))


def parse_head(data: bytes, name: str) -> tuple[Note, Checkpoint]:
    """Parse a note and its checkpoint, without verification. Raises Rejected (BAD_CHECKPOINT)."""
    try:
        note = Note.parse(data)
        return note, Checkpoint.parse(note.text)
    except NotProven as error:
        raise Rejected("BAD_CHECKPOINT", f"{name}: {error.message}") from None


def _key_names(keys: Sequence[Verifier]) -> str:
    return ", ".join(f"{key.name} ({key.id:08x})" for key in keys)
