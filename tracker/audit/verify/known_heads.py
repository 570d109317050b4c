"""Earlier checkpoints of a log, each compared when the tree has its size."""

from collections import deque
from collections.abc import AsyncIterator, Iterable

from msgspec import Struct

from tracker.audit.format.frontier import TileFrontier
from tracker.audit.format.layout import CHECKPOINTS
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy, parse_head
from tracker.errors import Rejected


class KnownHead(Struct, frozen=True):
    """An earlier checkpoint of the log, and its name in errors."""

    name: str
    head: TrustedCheckpoint
    is_claim: bool = False
    """Whether a document outside of the log claims it, such as a receipt, so that a mismatch is not a fault
    of the log."""


class KnownHeads:
    """The earlier checkpoints of a log from `first` up to its newest one, `head`.

    These are the stored ones, the one that an auditor saved, and `claims`. They are compared in the order of
    sizes.
    """

    def __init__(
        self,
        source: LogSource,
        trust: TrustPolicy,
        head: TrustedCheckpoint,
        saved: TrustedCheckpoint | None,
        first: int,
        claims: Iterable[TrustedCheckpoint] = (),
    ):
        self._source, self._trust = source, trust
        self._head = head
        beside = [KnownHead("a claimed checkpoint", claim, is_claim=True) for claim in claims]
        if saved:
            beside.append(KnownHead("your saved checkpoint", saved))
        self._beside = sorted(beside, key=lambda known: known.head.size)
        self.claimed_roots = {0: TileFrontier().root()}
        """The computed roots at the sizes of the claims."""
        self._first = first
        self._matching_size = 0
        self._mismatch: KnownHead | None = None
        self.count = self.unknown_signers = 0
        """The number of stored checkpoints, and of those that no trusted key has signed."""

    async def in_order(self) -> AsyncIterator[KnownHead]:
        """Return the checkpoints in the order of sizes. Raises Rejected for an untrusted one."""
        beside = deque(known for known in self._beside if known.head.size <= self._head.size)
        async for size, note in self._source.checkpoints(self._first - 1):
            name = f"{CHECKPOINTS}/{size}"
            head = self._trusted(name, size, note)
            while beside and beside[0].head.size <= head.size:
                yield beside.popleft()
            if head.size <= self._head.size:
                yield KnownHead(name, head)
        for known in beside:
            yield known

    def compare(self, known: KnownHead, root: bytes) -> None:
        """Compare the root of the tree at the size of a checkpoint. A mismatch is reported at the end."""
        if known.is_claim:
            self.claimed_roots[known.head.size] = root
        elif known.head.checkpoint.root == root:
            self._matching_size = known.head.size
        elif self._mismatch is None:
            self._mismatch = known

    @property
    def mismatch_size(self) -> int | None:
        """The size of the first checkpoint that does not match the events."""
        return self._mismatch.head.size if self._mismatch else None

    def wrong_events_error(self, code: str) -> Rejected:
        """Return the error that events do not match a checkpoint: the first mismatch, or the newest."""
        name, size = (
            (self._mismatch.name, self._mismatch.head.size)
            if self._mismatch
            else ("the checkpoint", self._head.size)
        )
        return Rejected(
            code,
            f"these are not the events that {name} of size {size} was signed for",
            range(self._matching_size + 1, size + 1) or None,
        )

    def _trusted(self, name: str, size: int, note: bytes) -> TrustedCheckpoint:
        """Check a checkpoint of an earlier size. Its key may be retired; its root must match nevertheless."""
        self.count += 1
        checkpoint = parse_head(note, name)[1]
        if checkpoint.size != size:
            raise Rejected("BAD_CHECKPOINT", f"{name} is of size {checkpoint.size}")
        try:
            return TrustPolicy(self._trust.keys).verify_head(note, name)
        except Rejected as error:
            if error.code != "UNKNOWN_KEY":
                raise
        self.unknown_signers += 1
        return TrustedCheckpoint(note, checkpoint, ())


def check_later(head: TrustedCheckpoint, saved: TrustedCheckpoint) -> None:
    """Check that a head may follow one that was seen before. Raises Rejected."""
    if head.checkpoint.origin != saved.checkpoint.origin:
        raise Rejected(
            "WRONG_ORIGIN",
            f"the checkpoint is of {head.checkpoint.origin!r}, your"
            f" saved one of {saved.checkpoint.origin!r}",
        )
    if head.size < saved.size:
        raise Rejected(
            "SHRUNK",
            f"the checkpoint is about {head.size} events, your saved one"
            f" about {saved.size}: it is stale, or events were taken away",
            range(head.size + 1, saved.size + 1),
        )
    if head.size == saved.size and head.checkpoint.root != saved.checkpoint.root:
        raise Rejected(
            "FORKED",
            f"the checkpoint and your saved one are about {head.size} events"
            " each, and not about the same",
            range(1, head.size + 1),
        )
