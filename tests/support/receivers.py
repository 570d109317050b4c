"""Receivers of deliveries that behave badly, byte by byte, and certificates for them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answering: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Received:
    """A request as it came: its first line, its headers by their names in small letters, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server that reads requests and answers each as it is told to."""

    answering: Answering
    port: int = 0
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook?key=secret"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read requests of a connection until it ends."""
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *lines = head.strip().split("\r\n")
                headers = {
                    name.lower(): value
                    for name, _, value in (header.partition(": ") for header in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append(Received(line, headers, body))
                await self.answering(writer)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(
    answering: Answering, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver while it is needed; its open connections are cut at the end."""
    receiver = Receiver(answering, scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await receiver.serve(reader, writer)
        except asyncio.CancelledError:  # the end of the test
            writer.transport.abort()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answer(status: str, *headers: str, body: bytes = b"") -> Answering:
    """The same answer to each request, with its length."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers])
    return raw(f"{head}\r\n\r\n".encode() + body)


def raw(sent: bytes, *, close: bool = False) -> Answering:
    """The same bytes to each request, after which the connection may be closed."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        if close:
            writer.close()

    return write


def drip(first: bytes, then: bytes, pause_seconds: float = 0.01) -> Answering:
    """Bytes, and then others again and again without an end."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(pause_seconds)

    return write


def certificate(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS of a server on 127.0.0.1 whose certificate nobody signed, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(UTC)
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
