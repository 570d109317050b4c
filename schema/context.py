"""What a request is answered with."""

from __future__ import annotations

from dataclasses import dataclass

from projections.as_of import AsOf
from projections.changes import Changes
from projections.projector import Projector
from tracker.commands import Commands
from tracker.log.follow import Follower
from tracker.log.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running tracker that the API needs."""

    recorder: Recorder
    follower: Follower
    projector: Projector
    commands: Commands
    as_of: AsOf
    changes: Changes


@dataclass(frozen=True, slots=True)
class Access:
    """Who may write: the holder of the token; everyone where writing is open (the demo).

    Without a token and not open, nobody may.
    """

    token: str | None = None
    open: bool = False
