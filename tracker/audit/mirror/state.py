"""The state of a mirror, for readiness, metrics, pages and errors."""

from collections.abc import Sequence
from typing import Any

from tracker import clock
from tracker.audit.verify.trust import TrustPolicy
from tracker.errors import NewerRelease, Rejected, TrackerError

REFUSALS = (NewerRelease, Rejected)


class MirrorState:
    """The origin of a mirror, its position and its lag."""

    def __init__(self, trust: TrustPolicy, addresses: Sequence[str]):
        self.trust = trust
        self.origin = trust.keys[0].name
        """The name of the log."""
        self.address = addresses[0].removesuffix("/log")
        """The first address of the origin."""
        self.position = 0
        """The last stored position that a stored head covers."""
        self.origin_position = 0
        """The last position of the newest trusted head of an origin."""
        self.errors = dict[str, TrackerError]()
        """The reasons why addresses cannot be followed now."""
        self.fork: Rejected | None = None
        """The fork that ended the copy."""
        self._addresses = addresses
        self._current_at = clock.now()

    @property
    def fails(self) -> bool:
        """Whether no address can be followed now."""
        return self.fork is not None or len(self.errors) == len(self._addresses)

    @property
    def is_current(self) -> bool:
        """Whether the mirror has all events of an origin that responds."""
        return self.position == self.origin_position and not self.fails

    @property
    def lag_seconds(self) -> float:
        """Seconds since the mirror was current."""
        return 0.0 if self.is_current else (clock.now() - self._current_at).total_seconds()

    @property
    def refusal(self) -> str | None:
        """The reason why no origin is followed, if one was refused or is of a newer release."""
        refused = [each for each in self.errors.values() if isinstance(each, REFUSALS)]
        if not refused or not self.fails:
            return None
        error = self.fork or refused[0]
        return f"the mirror stopped at position {self.position}: {error.message} ({error.code})"

    @property
    def warnings(self) -> list[str]:
        """Problems of single addresses."""
        return [f"{name}: {error.message} ({error.code})" for name, error in self.errors.items()]

    @property
    def read_only(self) -> str:
        """The message of ReadOnly."""
        return (
            f"This server is a mirror of {self.origin}, so nothing was recorded: send this to the origin,"
            f" {self.address}"
        )

    @property
    def sentence(self) -> str:
        """The origin and state, for pages."""
        state = (
            "current"
            if self.is_current
            else f"last current on {self._current_at:%-d %B %Y at %H:%M} UTC"
        )
        refused = ". The origin was refused: see /readyz" if self.refusal else ""
        return f"Mirror of {self.origin} ({self.address}) at position {self.position:,}, {state}{refused}."

    @property
    def report(self) -> dict[str, Any]:
        """The state, as in `/readyz`."""
        return {
            "origin": self.origin,
            "address": self.address,
            "position": self.position,
            "originPosition": self.origin_position,
            "lagEvents": max(self.origin_position - self.position, 0),
            "lagSeconds": round(self.lag_seconds, 1),
            "refused": self.refusal,
        }

    def note_success(self, address: str) -> None:
        """Record that an address was followed up to its end."""
        self.errors.pop(address, None)
        self._current_at = clock.now()
