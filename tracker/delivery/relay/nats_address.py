"""Addresses and credentials of NATS servers. Pure."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

from tracker.errors import InvalidInput

SCHEMES = ("nats", "tls")
DEFAULT_PORT = 4222


class NatsAddress(Struct, frozen=True):
    """Servers of one NATS system, and the credentials for them."""

    servers: tuple[SplitResult, ...]
    credentials: Path | None = None
    """File with a JWT and an nkey seed (`.creds`), or with an nkey seed only."""
    ca: Path | None = None
    """Certificate authorities for the servers; None means those of the system."""
    certificate: Path | None = None
    """Client certificate with its key, in one file, for servers that require one."""

    @property
    def shown(self) -> str:
        """Return the servers without users, passwords and tokens."""
        return ",".join(self.hosts)

    @property
    def hosts(self) -> list[str]:
        """Return each server with its port."""
        return [_without_login(server) for server in self.servers]

    @property
    def login(self) -> dict[str, str]:
        """Return the credentials in the addresses, as arguments of the client."""
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
        """Whether TLS is required."""
        return any(server.scheme == "tls" for server in self.servers)


def parse_servers(text: str) -> tuple[SplitResult, ...]:
    """Parse addresses separated by commas. Raises InvalidInput without showing secrets."""
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
    """Return the passwords and tokens in addresses, valid or not, as written and unescaped."""
    for part in text.split(","):
        login, at, _ = part.partition("://")[2].rpartition("@")
        if at:
            user, colon, password = login.partition(":")
            secret = password if colon else user
            yield from (secret, unquote(secret))


def _without_login(server: SplitResult) -> str:
    host = f"[{server.hostname}]" if ":" in (server.hostname or "") else server.hostname
    return f"{server.scheme}://{host}:{server.port or DEFAULT_PORT}"
