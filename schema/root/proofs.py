"""What auditors ask of the log: its checkpoints, and proofs from them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from strawberry import argument

from schema.base.context import Info
from schema.base.decorators import answer, output
from schema.base.scalars import Position
from schema.inputs.arguments import needed, position
from schema.types.proof import (
    Checkpoint,
    ConsistencyProof,
    InclusionProof,
    checkpoint,
    consistency,
    inclusion,
)

AtSize: TypeAlias = Annotated[
    Position | None, argument(description="The size of the checkpoint; the newest if left out.")
]


@output
class Proofs:
    """What auditors ask of the log."""

    @answer
    async def checkpoint(
        self,
        info: Info,
        size: Annotated[
            Position | None, argument(description="Of how many events; the newest if left out.")
        ] = None,
    ) -> Checkpoint:
        """A signed head of the log. Auditors keep those that they have seen: docs/audit.md."""
        publications = info.context.services.publications
        return checkpoint(await publications.checkpoint(position(size, "size")))

    @answer
    async def inclusion_proof(
        self,
        info: Info,
        at: Annotated[
            Position, argument(name="position", description="The place of the event in the log.")
        ],
        size: AtSize = None,
    ) -> InclusionProof:
        """That an event is in the log that a checkpoint commits to."""
        publications = info.context.services.publications
        return inclusion(
            await publications.inclusion(needed(at, "position"), position(size, "size"))
        )

    @answer
    async def consistency_proof(
        self,
        info: Info,
        old: Annotated[
            Position,
            argument(
                name="from", description="The older size, such as that of a checkpoint you kept."
            ),
        ],
        new: Annotated[
            Position | None,
            argument(
                name="to", description="The size of the newer checkpoint; the newest if left out."
            ),
        ] = None,
    ) -> ConsistencyProof:
        """That a checkpoint commits to all that the log had at an older size, unchanged."""
        publications = info.context.services.publications
        return consistency(
            *await publications.consistency(needed(old, "from"), position(new, "to"))
        )
