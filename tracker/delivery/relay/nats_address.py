"""Where NATS is, and how we show who we are. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from tracker.errors import InvalidInput

SCHEMES = ("nats", "tls")
DEFAULT_PORT = 4222


@dataclass(frozen=True, slots=True)
class NatsAddress:
    """Servers of one NATS system, and how we show who we are."""

    servers: tuple[SplitResult, ...]
    credentials: Path | None = None
    """A file with a JWT and an nkey seed (`.creds`), or with an nkey seed alone."""
    ca: Path | None = None
    """The certificates that servers' are checked against; without it those of the system."""
    certificate: Path | None = None
    """A certificate of ours with its key, in one file, where servers ask for one."""

    @property
    def shown(self) -> str:
        """The servers without users, passwords and tokens."""
        return ",".join(self.hosts)

    @property
    def hosts(self) -> list[str]:
        """Each of them, with its port."""
        return [_without_login(server) for server in self.servers]

    @property
    def login(self) -> dict[str, str]:
        """Who we are as far as the addresses say it, as the client takes it."""
        for server in self.servers:
            if server.username and server.password is None:
                return {"token": unquote(server.username)}
            if server.username:
                return {
                    "user": unquote(server.username),
                    "password": unquote(server.password or ""),
                }
        return {}

    @property
    def with_tls(self) -> bool:
        """Whether nothing may be sent without TLS."""
        return any(server.scheme == "tls" for server in self.servers)


def parse_servers(text: str) -> tuple[SplitResult, ...]:
    """Servers from addresses with commas between them. Raises InvalidInput, which shows no secret."""
    return tuple(_parse_server(part.strip()) for part in text.split(","))


def _parse_server(text: str) -> SplitResult:
    try:
        server = urlsplit(text)
        fits = server.scheme in SCHEMES and bool(server.hostname) and server.port != 0
    except ValueError:
        fits = False
    if not fits or server.path.strip("/") or server.query or server.fragment:
        raise InvalidInput(
            "the address of the broker: expected nats://host:4222 or tls://host:4222, or several with"
            " commas",
            path=("url",),
        )
    return server


def secrets_in(text: str) -> Iterator[str]:
    """The passwords and tokens of addresses, well written or not, as they are and unescaped."""
    for part in text.split(","):
        login, at, _ = part.partition("://")[2].rpartition("@")
        if at:
            user, colon, password = login.partition(":")
            secret = password if colon else user
            yield from (secret, unquote(secret))


def _without_login(server: SplitResult) -> str:
    host = f"[{server.hostname}]" if ":" in (server.hostname or "") else server.hostname
    return f"{server.scheme}://{host}:{server.port or DEFAULT_PORT}"
