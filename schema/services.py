"""What a request is answered with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projections.query.as_of import AsOf
from projections.query.changes import Changes
from projections.runner.projector import Projector
from projections.runner.replica import Replica
from projections.versions.sample_check import SampleCheck
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
from tracker.review.review import Review
from tracker.snapshots.store import SnapshotStore
from tracker.watch.summary import WatchOverview
from tracker.watch.watcher import Watcher

OPEN_CALLER = Caller("demo", expand_scopes([Scope.RECORD, Scope.REVIEW]))
"""Whoever comes without a token where everyone may write."""
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
    review: Review
    publisher: Publisher | None = None
    """None where the log is not signed by this process."""
    deliverer: Deliverer | None = None
    """None where this process never delivers."""
    watch: WatchOverview | None = None
    """How watching stands, whichever process does it; None on a replica."""
    watcher: Watcher | None = None
    """None where this process never watches."""
    replica: Replica | None = None
    """The standby that questions are answered from; None where that is the primary."""
    sample_check: SampleCheck | None = None
    """The comparison of rows with their events; None where this process does not serve."""
    primary: Services | None = None
    """The same parts on the primary, where the others are on a replica beside it."""

    @property
    def read_only(self) -> bool:
        """Whether nothing can be recorded here."""
        return self.replica is not None and self.primary is None

    @property
    def writing(self) -> Services:
        """The parts with which commands are carried out, and what they did is answered."""
        return self.primary or self

    async def public_keys(self) -> tuple[PublicKey, ...]:
        """The public keys of the log, the oldest first. Raises NotFound where this process has none."""
        if self.publisher is None:
            raise NotFound(
                "this process does not sign the log: ask one that does, or whoever runs it"
                " (`tracker key show`)",
                path=("key",),
            )
        return await self.publisher.public_keys()


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what, from where, and how often. Without a token, people may read at most."""

    token: str | None = None
    """A token of scope record beside those in the database."""
    oidc: OidcConfig | None = None
    """The issuer whose tokens are taken too."""
    open: bool = False
    """Whether everyone may write: the demo."""
    read_open: bool = True
    """Whether everyone may read."""
    introspection: bool = True
    """Whether the schema can be asked for."""
    hosts: frozenset[str] = frozenset()
    """The names that we are reached by, beside localhost and addresses; `*` is any."""
    origins: tuple[str, ...] = ()
    """The origins whose pages may use the API; `*` is any."""
    rate: float = 0
    """Requests a second of one client; 0 is no limit."""
    operations: int = 100
    """Operations of one client at a time over WebSockets and streams, subscriptions included."""

    questions: int = 2
    """Questions of one client that are worked on at a time; its others wait."""

    def anyone(self) -> Caller:
        """A caller without a token."""
        if self.open:
            return OPEN_CALLER
        return READ_ONLY_CALLER if self.read_open else ANONYMOUS_CALLER
