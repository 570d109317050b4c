"""Inclusion proofs for delivered events, available once a checkpoint covers the events."""

import asyncio
from collections.abc import Sequence

from tracker.audit.serve.proofs import ProofService
from tracker.errors import NotProven

POLL_INTERVAL_SECONDS = 0.2
"""Seconds between two checks for a newer checkpoint."""
WAIT_SECONDS = 10.0
"""Maximum seconds to wait for a checkpoint: in a signed log it comes within one second."""


class WaitingProofs:
    """Proofs from the published log. Concurrent waiters share the checks for a checkpoint."""

    def __init__(self, service: ProofService):
        self._service = service
        self._size_task: asyncio.Task[int] | None = None

    async def prove(self, positions: Sequence[int]) -> dict[int, str]:
        """Return the proofs of events as in `/log/proof`, by position.

        Raises NotProven if no checkpoint covers them in time, and database errors.
        """
        await self._wait_for_checkpoint(max(positions))
        results = await asyncio.gather(*(self._service.proof(position) for position in positions))
        proofs = zip(positions, results, strict=True)
        return {position: str(one.proof) for position, one in proofs if one is not None}

    async def _wait_for_checkpoint(self, position: int) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WAIT_SECONDS
        while (size := await self._size()) < position:
            if loop.time() > deadline:
                raise NotProven(
                    f"no checkpoint covers the event at {position}, so there is no proof to send"
                    f" with it: {'the log is not signed' if not size else f'the last has {size} events'}"
                )
            await asyncio.sleep(POLL_INTERVAL_SECONDS)

    async def _size(self) -> int:
        """Return the size of the newest checkpoint, 0 before the first; concurrent calls share one query."""
        if self._size_task is None or self._size_task.done():
            self._size_task = asyncio.create_task(self._read_size())
        return await asyncio.shield(self._size_task)

    async def _read_size(self) -> int:
        return await self._service.size() or 0
