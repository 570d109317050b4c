"""Options of e-mail alerts."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from tracker.delivery.schedule import STANDARD_SCHEDULE, Schedule
from tracker.postgres.lease import LEASE_SECONDS


class Tls(StrEnum):
    """The protection of the connection to the mail server."""

    STARTTLS = "starttls"
    """The connection begins in plain text and must switch to TLS."""
    IMPLICIT = "implicit"
    """The connection begins with TLS."""
    OFF = "off"
    """No TLS: for a server on the same machine."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server that sends messages."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls = Tls.STARTTLS
    timeout_seconds: float = 30


@dataclass(frozen=True, slots=True)
class MailOptions:
    """Options of alerts: the mail server, the sender, the site of links, the secret of links, limits."""

    server: MailServer
    sender: str
    """`From` header: `Tracker <alerts@example.com>`."""
    site: str
    """Scheme and host of links, such as `https://minerals.example.com`."""
    secret: str = field(repr=False)
    messages_a_minute: int = 60
    max_subscriptions: int = 10_000
    schedule: Schedule = STANDARD_SCHEDULE
    """Intervals between attempts after temporary errors."""
    max_attempts: int = 10
    """Attempts after which a message is given up: about two days."""
    immediate_interval: timedelta = timedelta(minutes=10)
    """Least interval between two comparisons of an immediate subscription."""
    idle_seconds: float = 5.0
    """Seconds between two searches for due work."""
    lease_seconds: float = LEASE_SECONDS
    release: str | None = None
    """Number of this release, to which older ones leave the lease."""
