"""Every error this product raises for its users.

TrackerError
├── InvalidInput        a value breaks a rule: names the field and what was expected
│   └── LogDiverged         the log is not the one that a client has followed
├── NotFound            the thing asked about does not exist
├── VersionConflict     the entity is not at the version the caller expected
├── IdempotencyConflict the event id was used before, for another content
├── Unauthenticated     nobody knows who the caller is
├── Forbidden           the caller may not do this
├── RateLimited         the caller asks too often
├── TooLarge            the input is over a stated limit
├── ReadOnly            this server reads from a replica, and records nothing
├── NotProven           a signature or a proof does not hold
│   └── Rejected            an export, a log or a database is not what was signed: says where
└── Unavailable         a part of the system does not answer in time
    ├── DiskFull            the database has no space left
    └── LogSetBack          the log has lost what this server has shown of it

`code` is stable: clients may switch on it. `path` leads to the field, outermost first.
"""

from __future__ import annotations

from collections.abc import Sequence

Path = tuple[str | int, ...]


class TrackerError(Exception):
    """Something went wrong that the caller can understand."""

    code = "ERROR"

    def __init__(self, message: str, *, code: str | None = None, path: Sequence[str | int] = ()):
        super().__init__(message)
        self.message = message
        self.path: Path = tuple(path)
        if code is not None:
            self.code = code

    def below(self, *prefix: str | int) -> TrackerError:
        """This error, its path put below `prefix`; returns itself so that it can be raised."""
        self.path = (*prefix, *self.path)
        return self


class InvalidInput(TrackerError, ValueError):
    """A value breaks a rule. The message says what was expected."""

    code = "INVALID_INPUT"


class LogDiverged(InvalidInput):
    """The log has another entry at the position up to which a client has followed it."""

    code = "LOG_DIVERGED"


class NotFound(TrackerError):
    """The entity, event or position asked about does not exist."""

    code = "NOT_FOUND"


class VersionConflict(TrackerError):
    """The entity is not at the version the caller expected."""

    code = "VERSION_CONFLICT"

    def __init__(self, stream: str, expected: int, actual: int):
        super().__init__(
            f"Wrong expected version of {stream}: expected {expected}, it is at {actual}",
            path=("expectedVersion",),
        )
        self.stream, self.expected, self.actual = stream, expected, actual


class IdempotencyConflict(TrackerError):
    """The event id or idempotency key was used before, with another content."""

    code = "IDEMPOTENCY_CONFLICT"

    def __init__(self, event_id: str):
        super().__init__(
            f"Event id {event_id!r} is already in the log with another content",
            path=("idempotencyKey",),
        )
        self.event_id = event_id


class Unauthenticated(TrackerError):
    """The caller has to show a token that works."""

    code = "UNAUTHENTICATED"


class Forbidden(TrackerError):
    """The caller may not do this."""

    code = "FORBIDDEN"


class RateLimited(TrackerError):
    """The caller asks too often; `seconds` is how long to wait."""

    code = "RATE_LIMITED"

    def __init__(self, seconds: float):
        super().__init__("Too many requests; wait before the next")
        self.seconds = seconds


class TooLarge(TrackerError):
    """The input is over a stated limit."""

    code = "TOO_LARGE"


class ReadOnly(TrackerError):
    """This server reads from a standby: nothing was recorded, and never will be here."""

    code = "READ_ONLY"

    def __init__(self) -> None:
        super().__init__(
            "This server reads from a replica, so nothing was recorded: send this to one that"
            " writes to the primary"
        )


class NotProven(TrackerError):
    """A signature or a proof does not hold: what it is about can't be trusted."""

    code = "NOT_PROVEN"


class Rejected(NotProven):
    """A log that differs from what was signed, or from what was seen before.

    `positions` are those of the first bad event: one, or as few as can be told; None where it is
    not about events. `code` says which kind of wrong it is; docs/auditing.md has all of them.
    """

    code = "REJECTED"

    def __init__(self, code: str, message: str, positions: range | None = None):
        super().__init__(f"{_place(positions)}{message}", code=code)
        self.positions = positions


def _place(positions: range | None) -> str:
    if not positions:
        return ""
    first, last = positions[0], positions[-1]
    return f"position {first}: " if first == last else f"positions {first} to {last}: "


class Unavailable(TrackerError):
    """A part of the system does not answer in time; the same request may succeed later."""

    code = "UNAVAILABLE"


class DiskFull(Unavailable):
    """The database has no space left on its disk; what failed was not recorded."""

    code = "DISK_FULL"

    def __init__(self) -> None:
        super().__init__(
            "The database has no space left on its disk, so nothing was recorded."
            " Reading goes on; send this again when there is space."
        )


class LogSetBack(Unavailable):
    """The log was set back: it has not, or not any more, what this server has shown of it.

    The server shows nothing more of it, and ends. Started again it serves what is there.
    """

    code = "LOG_SET_BACK"

    def __init__(self, difference: str):
        super().__init__(
            f"The log was set back: {difference}. A failover lost the end of it, or an older backup was"
            " restored; this server ends, and started again serves what is there"
        )
