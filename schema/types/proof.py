"""Checkpoints of the log and proofs from them, as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type
from schema.base.scalars import Instant, Position
from tracker.audit.format import checkpoint as audit
from tracker.audit.format.signed_note import to_base64
from tracker.audit.serve.proofs import InclusionResult, StoredCheckpoint


@object_type
class Checkpoint:
    """A signed head of the log, which is a transparency log (C2SP tlog-checkpoint): it commits to
    every event up to a position.
    """

    size: Position = field(description="How many events it commits to: the last one's position.")
    root: str = field(description="The root of the tree over their entries, in base64.")
    note: str = field(
        description="The whole signed note, as `/log/checkpoint/<size>` serves it:"
        " what is to be verified, and kept."
    )
    signed_at: Instant = field(
        description="When it was signed, by our clock. It is not in the"
        " note: witnesses sign a time, we do not."
    )


@object_type
class InclusionProof:
    """That an event is in the log that a checkpoint commits to. It is to be verified by whoever
    asked, with a public key that they had before.
    """

    position: Position = field(
        description="The place of the event in the log; its number in the tree is one less."
    )
    leaf_hash: str = field(
        description="The hash of its entry in the tree (RFC 6962), in base64."
        " Compute it from the entry, as `/events` delivers it."
    )
    hashes: list[str] = field(
        description="The hashes of the proof, from the leaf's sibling up, in base64."
    )
    checkpoint: Checkpoint = field(description="The checkpoint that it leads to.")
    text: str = field(
        description="All of it in one text, which tools for transparency logs read"
        " (C2SP tlog-proof)."
    )


@object_type
class ConsistencyProof:
    """That the log of a checkpoint begins with what it was at an older size: nothing was altered,
    dropped or inserted since.
    """

    old: Position = field(name="from", description="The older size.")
    hashes: list[str] = field(description="The hashes of the proof (RFC 6962), in base64.")
    checkpoint: Checkpoint = field(description="The newer checkpoint.")
    text: str = field(
        description="All of it as witnesses take it: the body of a request"
        " `add-checkpoint` (C2SP tlog-witness)."
    )


def checkpoint(of: StoredCheckpoint) -> Checkpoint:
    """A checkpoint as it is shown."""
    return Checkpoint(
        size=Position(str(of.size)),
        root=to_base64(of.root),
        note=of.note,
        signed_at=Instant(of.signed_at),  # type: ignore[arg-type]  # the scalar writes it
    )


def inclusion(of: InclusionResult) -> InclusionProof:
    """An inclusion proof as it is shown."""
    return InclusionProof(
        position=Position(str(of.proof.index + 1)),
        leaf_hash=to_base64(of.leaf),
        hashes=list(map(to_base64, of.proof.hashes)),
        checkpoint=checkpoint(of.checkpoint),
        text=str(of.proof),
    )


def consistency(of: audit.ConsistencyProof, in_: StoredCheckpoint) -> ConsistencyProof:
    """A consistency proof as it is shown."""
    return ConsistencyProof(
        old=Position(str(of.old)),
        hashes=list(map(to_base64, of.hashes)),
        checkpoint=checkpoint(in_),
        text=str(of),
    )
