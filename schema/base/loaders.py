"""Annexes for one request: all that an answer asks for at a time, in one query.

Nothing is kept from one query to the next: a text that is redacted is gone for subscribers too.
"""

from __future__ import annotations

from collections.abc import Sequence

from strawberry.dataloader import DataLoader

from tracker.log.annexes import Annexes, StoredAnnex


class Loaders:
    """The data loaders of one request."""

    def __init__(self, annexes: Annexes):
        self._annexes = annexes
        self.of: DataLoader[str, StoredAnnex | None] = DataLoader(self._of, cache=False)
        """Annexes by commitment."""
        self.at: DataLoader[int, list[StoredAnnex]] = DataLoader(self._at, cache=False)
        """Annexes by the position of their event."""

    async def _of(self, commitments: Sequence[str]) -> Sequence[StoredAnnex | None]:
        found = await self._annexes.by_commitment(set(commitments))
        return [found.get(commitment) for commitment in commitments]

    async def _at(self, positions: Sequence[int]) -> Sequence[list[StoredAnnex]]:
        found = await self._annexes.by_position(set(positions))
        return [found[position] for position in positions]
