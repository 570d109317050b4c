"""GraphQL types of checkpoints of the log and proofs from them."""

import strawberry
from strawberry import field

from schema.base.decorators import object_type
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Position
from tracker.audit.format import checkpoint as audit
from tracker.audit.format.signed_note import to_base64
from tracker.audit.serve.proofs import InclusionResult, StoredCheckpoint
from tracker.audit.sign.keystore import PublicKey


@output_type(first="size root note signed_at")
class Checkpoint:
    """A signed checkpoint of the transparency log (C2SP tlog-checkpoint): it commits to every event
    up to a position.
    """

    of: strawberry.Private[StoredCheckpoint]

    size: Position = struct_field()

    @made_field
    def root(self) -> str:
        """The root hash of the Merkle tree over their entries, in base64."""
        return to_base64(self.of.root)


@object_type
class InclusionProof:
    """A proof that an event is in the log that a checkpoint commits to. Verify it with a public key that
    you obtained before."""

    position: Position
    """The position of the event in the log; its index in the tree is one less."""
    leaf_hash: str
    """The leaf hash of its entry (RFC 6962), in base64. Compute it yourself from the entry as `/events`
    delivers it."""
    hashes: list[str]
    """The hashes of the proof, from the leaf's sibling up, in base64."""
    checkpoint: Checkpoint = field(description="The checkpoint of the proof.")
    text: str
    """The proof and the checkpoint as one text, in the format of transparency log tools (C2SP
    tlog-proof)."""


@object_type
class ConsistencyProof:
    """A proof that the log of the newer checkpoint begins with the log of the older size: no event was
    altered, dropped or inserted."""

    old: Position = field(name="from", description="The older size.")
    hashes: list[str] = field(description="The hashes of the proof (RFC 6962), in base64.")
    checkpoint: Checkpoint = field(description="The newer checkpoint.")
    text: str
    """The proof and the checkpoint as text: the body of an `add-checkpoint` request to a witness (C2SP
    tlog-witness)."""


@object_type
class LogKey:
    """A public key that verifies checkpoints of the log. Compare it with a copy from elsewhere: a server
    with a false log can also give a false key."""

    key: str
    """The key as text, `name+id+key`, in the format of transparency log tools (a verifier key of C2SP
    signed-note)."""
    name: str = field(description="The name of the log, which its checkpoints contain.")
    key_id: str = field(description="The id of the key, 8 hexadecimal digits.")
    signs: bool
    """Whether it signs new checkpoints; otherwise it verifies older ones."""


def log_key(of: PublicKey) -> LogKey:
    """Return the GraphQL type of a public key of the log."""
    verifier = of.verifier
    return LogKey(
        key=str(verifier), name=verifier.name, key_id=f"{verifier.id:08x}", signs=of.signs
    )


def inclusion(of: InclusionResult) -> InclusionProof:
    """Return the GraphQL type of an inclusion proof."""
    return InclusionProof(
        position=Position(str(of.proof.index + 1)),
        leaf_hash=to_base64(of.leaf),
        hashes=list(map(to_base64, of.proof.hashes)),
        checkpoint=Checkpoint(of=of.checkpoint),
        text=str(of.proof),
    )


def consistency(of: audit.ConsistencyProof, in_: StoredCheckpoint) -> ConsistencyProof:
    """Return the GraphQL type of a consistency proof."""
    return ConsistencyProof(
        old=Position(str(of.old)),
        hashes=list(map(to_base64, of.hashes)),
        checkpoint=Checkpoint(of=in_),
        text=str(of),
    )
