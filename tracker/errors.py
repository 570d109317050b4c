"""Every error this product raises for its users.

TrackerError
├── InvalidInput        a value breaks a rule: names the field and what was expected
│   └── LogDiverged         the log differs from the one that a client has followed
├── NotFound            the requested object does not exist
├── VersionConflict     the entity is not at the version the caller expected
├── IdempotencyConflict the event id was used before, for another content
├── Unauthenticated     the caller is unknown
├── Forbidden           the caller may not do this
├── RateLimited         the caller sends too many requests
├── TooLarge            the input is over a stated limit
├── ReadOnly            this server reads from a replica or is a mirror, and records nothing
├── NotProven           a signature or a proof is invalid
│   └── Rejected            an export, a log or a database differs from the signed one: with the place
└── Unavailable         a part of the system does not respond in time
    ├── DiskFull            the database has no space left
    ├── NewerRelease        a newer release recorded an event that this one cannot read
    └── LogSetBack          the log has lost events that this server has shown

`code` is stable: clients may switch on it. `path` leads to the field, outermost first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

Path = tuple[str | int, ...]


class TrackerError(Exception):
    """An error that the caller can understand."""

    code = "ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        path: Sequence[str | int] = (),
        suggestion: str = "",
    ):
        super().__init__(message)
        self.message = message
        self.path: Path = tuple(path)
        self.suggestion = suggestion
        """The value that was probably meant; empty without one."""
        if code is not None:
            self.code = code

    def below(self, *prefix: str | int) -> TrackerError:
        """Prefix the path of this error with `prefix`, and return the error for raising."""
        self.path = (*prefix, *self.path)
        return self


@contextmanager
def below(*prefix: str | int) -> Iterator[None]:
    """Prefix the paths of errors in a block."""
    try:
        yield
    except TrackerError as error:
        raise error.below(*prefix) from None


class InvalidInput(TrackerError, ValueError):
    """A value breaks a rule. The message states the expected value."""

    code = "INVALID_INPUT"


class LogDiverged(InvalidInput):
    """The log has another entry at the position up to which a client has followed it."""

    code = "LOG_DIVERGED"


class NotFound(TrackerError):
    """The requested entity, event or position does not exist."""

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
    """The caller must present a valid token."""

    code = "UNAUTHENTICATED"


class Forbidden(TrackerError):
    """The caller may not do this."""

    code = "FORBIDDEN"


class RateLimited(TrackerError):
    """The caller sends too many requests; `seconds` is the delay to wait."""

    code = "RATE_LIMITED"

    def __init__(self, seconds: float, message: str = "Too many requests; wait before the next"):
        super().__init__(message)
        self.seconds = seconds


class TooLarge(TrackerError):
    """The input is over a stated limit."""

    code = "TOO_LARGE"


class ReadOnly(TrackerError):
    """This server only reads: nothing was recorded, and a retry here cannot succeed."""

    code = "READ_ONLY"


class NotProven(TrackerError):
    """A signature or a proof is invalid: its subject cannot be trusted."""

    code = "NOT_PROVEN"


class Rejected(NotProven):
    """A log that differs from the signed one, or from an earlier state.

    `positions` are those of the first wrong event, as precisely as possible; None if the fault is not about
    events. `code` is the kind of fault; docs/auditing.md lists all codes.
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
    """A part of the system does not respond in time; the same request may succeed later."""

    code = "UNAVAILABLE"


class DiskFull(Unavailable):
    """The database has no space left on its disk; the failed operation was not recorded."""

    code = "DISK_FULL"

    def __init__(self) -> None:
        super().__init__(
            "The database has no space left on its disk, so nothing was recorded."
            " Reading goes on; send this again when there is space."
        )


class NewerRelease(Unavailable):
    """An event of the log that this release cannot read; a server of the newest release can."""

    code = "NEWER_RELEASE"

    def __init__(self, position: int, type_: str, problem: str):
        super().__init__(
            f"Event {position} ({type_}) cannot be read here: {problem}. A newer release recorded it:"
            " use a server or command of that release (docs/operating/upgrade.md)"
        )


class LogSetBack(Unavailable):
    """The log was set back: it lacks events that this server has shown.

    The server shows nothing more of it, and ends. After a restart it serves the present log.
    """

    code = "LOG_SET_BACK"

    def __init__(self, difference: str):
        super().__init__(
            f"The log was set back: {difference}. A failover lost the end of it, or an older backup was"
            " restored; this server ends, and started again serves what is there"
        )
