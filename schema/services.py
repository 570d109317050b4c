"""The services behind a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projections.checks.sample_check import SampleCheck
from projections.query.as_of import AsOf
from projections.query.changes import Changes
from projections.runner.projector import Projector
from projections.runner.replica import Replica
from tracker.audit.mirror.state import MirrorState
from tracker.audit.serve.proofs import ProofService
from tracker.audit.sign.keystore import PublicKey
from tracker.audit.sign.publisher import Publisher
from tracker.auth.oidc_issuer import OidcConfig
from tracker.auth.scopes import Caller, Scope, expand_scopes
from tracker.auth.tokens import Tokens
from tracker.commands.handler import Commands
from tracker.delivery.deliverer import Deliverer
from tracker.delivery.endpoints import Endpoints
from tracker.errors import NotFound
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.replica_log import REPLICA
from tracker.review.review import Review
from tracker.snapshots.store import SnapshotStore
from tracker.texts.stored import StoredTexts
from tracker.watch.summary import WatchOverview
from tracker.watch.watcher import Watcher

if TYPE_CHECKING:  # their imports would delay every start
    from projections.query.branch import Branches
    from tracker.alerts.mailer import Mailer
    from tracker.alerts.store import Alerts
    from tracker.scenarios.scenarios import Scenarios

OPEN_CALLER = Caller("demo", expand_scopes([Scope.RECORD, Scope.REVIEW, Scope.SCENARIO]))
"""Caller without a token, if everyone may write."""
READ_ONLY_CALLER = Caller(None, frozenset([Scope.READ]))
ANONYMOUS_CALLER = Caller()


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running tracker that the API needs."""

    recorder: Recorder
    follower: Follower
    projector: Projector[Any]
    commands: Commands
    as_of: AsOf
    changes: Changes
    tokens: Tokens
    proofs: ProofService
    endpoints: Endpoints
    snapshots: SnapshotStore
    texts: StoredTexts
    """Texts of acts in the store of snapshots."""
    review: Review
    publisher: Publisher | None = None
    """Publisher of signed checkpoints; None if this process does not sign the log."""
    deliverer: Deliverer | None = None
    """Deliverer; None if this process never delivers."""
    watch: WatchOverview | None = None
    """State of watching, by any process; None on a replica."""
    watcher: Watcher | None = None
    """Watcher; None if this process never watches."""
    alerts: Alerts | None = None
    """Subscriptions by e-mail; None if this server sends no mail."""
    mailer: Mailer | None = None
    """Mailer; None if this process never sends mail."""
    replica: Replica | None = None
    """Standby for reads; None if reads use the primary."""
    sample_check: SampleCheck | None = None
    """Comparison of rows with their events; None if this process does not serve."""
    scenarios: Scenarios | None = None
    """Scenarios; None on a replica without a primary."""
    branches: Branches | None = None
    """The record continued by scenarios; None if there are none."""
    shipped_size: int = 0
    """Number of events at the start of the log that are those of the shipped log, as of the start."""
    primary: Services | None = None
    """The parts on the primary, used with a replica for reads."""
    mirror: MirrorState | None = None
    """Mirror of another log; None if this process has a log of its own."""

    @property
    def read_only(self) -> str:
        """Return the reason why nothing can be recorded here; empty if it can."""
        if self.mirror is not None:
            return self.mirror.read_only
        return REPLICA if self.replica is not None and self.primary is None else ""

    @property
    def writing(self) -> Services:
        """Return the parts that execute commands and read back their results."""
        return self.primary or self

    async def public_keys(self) -> tuple[PublicKey, ...]:
        """Return the public keys of the log, the oldest first. Raises NotFound if this process has none."""
        if self.mirror is not None:
            return tuple(PublicKey(key, signs=True) for key in self.mirror.trust.keys)
        if self.publisher is None:
            raise NotFound(
                "this process does not sign the log: query one that does, or ask the operator"
                " (`tracker key show`)",
                path=("key",),
            )
        return await self.publisher.public_keys()


@dataclass(frozen=True, slots=True)
class Access:
    """The access rules: rights, origins and limits. Without a token, callers have the right to read at
    most."""

    token: str | None = None
    """A token of scope record besides those in the database."""
    oidc: OidcConfig | None = None
    """An issuer of accepted tokens."""
    open: bool = False
    """Whether everyone may write: the demo."""
    read_open: bool = True
    """Whether everyone may read."""
    introspection: bool = True
    """Whether introspection is allowed."""
    hosts: frozenset[str] = frozenset()
    """Host names of this server, besides localhost and addresses; `*` is any."""
    origins: tuple[str, ...] = ()
    """Origins whose pages may use the API; `*` is any."""
    rate: float = 0
    """Requests per second of one client; 0 is no limit."""
    operations: int = 100
    """Concurrent operations of one client over WebSockets and streams, including subscriptions."""

    queries: int = 2
    """Concurrent queries of one client; further queries are queued."""
    security_contact: str = ""
    """Address for reports of vulnerabilities; empty without one."""

    def anyone(self) -> Caller:
        """Return a caller without a token."""
        if self.open:
            return OPEN_CALLER
        return READ_ONLY_CALLER if self.read_open else ANONYMOUS_CALLER
