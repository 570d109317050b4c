"""Misbehaving receivers of deliveries, with scripted bytes, and their certificates."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.connections import Request, listening
from tracker import clock

Answering: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """A server that reads requests and sends scripted responses."""

    answering: Answering
    port: int = 0
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Return its address."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?key=secret"

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Store a request and respond; the client closes the connection."""
        self.requests.append(request)
        await self.answering(writer)
        return True

    def count_connection(self) -> None:
        """Count a new connection."""
        self.connections += 1


@asynccontextmanager
async def receiving(
    answering: Answering, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Run a receiver for the duration of a block; open connections are closed at the end."""
    receiver = Receiver(answering, scheme="https" if tls else "http")
    async with listening(
        receiver.answer, host=host, tls=tls, connected=receiver.count_connection
    ) as receiver.port:
        yield receiver


def answer(status: str, *headers: str, body: bytes = b"") -> Answering:
    """Return a script that sends one response to each request, with its length."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers])
    return raw(f"{head}\r\n\r\n".encode() + body)


def raw(sent: bytes, *, close: bool = False) -> Answering:
    """Return a script that sends raw bytes to each request, and may close the connection."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        if close:
            writer.close()

    return write


def drip(first: bytes, then: bytes, pause_seconds: float = 0.01) -> Answering:
    """Return a script that sends bytes, and then others endlessly."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return write


def certificate(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the TLS contexts of a server on 127.0.0.1 with a self-signed certificate, and of its
    client."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = clock.now()
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "receiver.pem").write_bytes(secret + signed)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / "receiver.pem")
    return server, ssl.create_default_context(cadata=signed.decode())
