"""Queries of auditors: checkpoints of the log, and proofs."""

from typing import Annotated, TypeAlias

from strawberry import argument

from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Position
from schema.inputs.arguments import parse_position, parse_required_position
from schema.types import proof

AtSize: TypeAlias = Annotated[
    Position | None, "The size of the checkpoint; the newest if left out."
]


@object_type
class Proofs:
    """Queries of auditors: checkpoints and proofs."""

    @resolver_field
    async def checkpoint(self, info: Info, size: Position | None = None) -> proof.Checkpoint:
        """A signed checkpoint of the log. Auditors store the checkpoints that they have seen; see
        docs/audit.md.

        - size: The number of events that it commits to; the newest checkpoint if left out.
        """
        publications = info.context.services.proofs
        return proof.Checkpoint(of=await publications.checkpoint(parse_position(size, "size")))

    @resolver_field
    async def log_keys(self, info: Info) -> list[proof.LogKey]:
        """The public keys of the log, the oldest first. A process that does not sign the log returns the
        error `NOT_FOUND`. `/log/key` has the keys as text."""
        return [proof.log_key(key) for key in await info.context.services.public_keys()]

    @resolver_field
    async def inclusion_proof(
        self,
        info: Info,
        at: Annotated[
            Position, argument(name="position", description="The position of the event in the log.")
        ],
        size: AtSize = None,
    ) -> proof.InclusionProof:
        """A proof that an event is in the log that a checkpoint commits to."""
        publications = info.context.services.proofs
        return proof.inclusion(
            await publications.inclusion(
                parse_required_position(at, "position"), parse_position(size, "size")
            )
        )

    @resolver_field
    async def consistency_proof(
        self,
        info: Info,
        old: Annotated[
            Position,
            argument(
                name="from",
                description="The older size, such as that of a checkpoint that you stored.",
            ),
        ],
        new: Annotated[
            Position | None,
            argument(
                name="to", description="The size of the newer checkpoint; the newest if left out."
            ),
        ] = None,
    ) -> proof.ConsistencyProof:
        """A proof that a checkpoint commits to all events of an older size of the log, unchanged."""
        publications = info.context.services.proofs
        return proof.consistency(
            *await publications.consistency(
                parse_required_position(old, "from"), parse_position(new, "to")
            )
        )
