"""Refusals of a relay, and of a broker to it."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import nkeys
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.cases import each_case
from tests.support.nats_server import NatsServer, running_nats
from tests.support.relays import WAIT_SECONDS, append, prepared, reached, running, until_kept
from tracker import clock
from tracker.delivery.endpoint import EndpointFilter
from tracker.delivery.relay.nats_address import NatsAddress, parse_servers, secrets_in
from tracker.delivery.relay.relay import link
from tracker.delivery.relay.sink import SinkRefused
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"after": 3}, "after"),
        ({"filter": EndpointFilter(places=("CN",))}, "name"),
        ({"name": "R!"}, "name"),
        ({"prefix": "minerals.>"}, "prefix"),
        ({"stream": "my.stream"}, "stream"),
    ],
)
async def test_a_relay_with_other_settings_than_at_its_start_is_refused(
    target: Target, recorder: Recorder, options: dict[str, Any], field: str
) -> None:
    await append(recorder, "a", 5)
    async with prepared(target, "nats://127.0.0.1:1"):
        pass
    with pytest.raises(InvalidInput) as refused:
        async with prepared(target, "nats://127.0.0.1:1", **options):
            pass
    assert refused.value.path == (field,)


async def test_a_stream_with_other_subjects_of_another_relay_or_of_another_log_is_refused(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    async with broker.jetstream() as jetstream:
        await jetstream.add_stream(name="OTHER", subjects=["minerals.>", "weather"])
        assert "takes minerals.>, weather" in await refusal(target, broker.url, stream="OTHER")
        await jetstream.delete_stream("OTHER")
        await append(recorder, "a", 5)
        async with running(target, broker.url):
            await reached(broker, 5)
        assert "events of the relay r: expected" in await refusal(target, broker.url, "another")
        await jetstream.purge_stream("MINERALS")
        place = {"Tracker-Position": "3", "Tracker-Relay": "r", "Nats-Msg-Id": "not ours"}
        await jetstream.publish("minerals.A.B", b"{}", headers=place)
        assert "the event not ours at position 3" in await refusal(target, broker.url)


async def test_messages_of_a_replaced_relay_are_not_stored(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    await append(recorder, "a", 10)
    async with prepared(target, broker.url) as late:
        await late._sink.open()
        first = (await late._sink.read_content()).sequence
        async with running(target, broker.url):
            await reached(broker, 10)
        events = link(await recorder.read(0), 0)
        assert await late._sink.publish(events, first) == (0, first)
        await late._sink.close()
    assert await broker.positions() == [*range(1, 11)]


async def test_an_acknowledgement_that_says_that_an_id_is_known_moves_nothing(
    target: Target, recorder: Recorder, broker: NatsServer
) -> None:
    await append(recorder, "a", 3)
    async with running(target, broker.url):
        await reached(broker, 3)
    async with broker.jetstream() as jetstream, prepared(target, broker.url) as relay:
        await jetstream.purge_stream("MINERALS")  # the ids stay known for two minutes
        await relay._sink.open()
        assert await relay._sink.publish(link(await recorder.read(2), 2), 3) == (0, 3)
        await relay._sink.close()


LOGIN = """accounts { A { jetstream: enabled, users: [
  { user: relay, password: "se cret" },
  { user: reader, password: reads, permissions { publish: "none", subscribe: ">" } } ] } }"""


async def test_a_refused_login_is_reported_without_the_password(
    target: Target,
    recorder: Recorder,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tracker.delivery.relay.jetstream.ANSWER_TIMEOUT_SECONDS", 0.5)
    caplog.set_level(logging.DEBUG)
    await append(recorder, "a", 3)
    async with running_nats(LOGIN) as broker:
        at = f"127.0.0.1:{broker.port}"
        told = await refusal(target, f"nats://relay:wr%20ong@{at}")
        told += await refusal(target, f"nats://{at}")
        assert told.count("nats: 'Authorization Violation'") == 2
        told += await refusal(target, f"nats://reader:reads@{at}")
        assert "permissions violation for publish" in told.lower()
        async with running(target, f"nats://relay:se%20cret@{at}"):
            await until_kept(target, 3)
        for secret in ("wr ong", "wr%20ong", "se cret", "se%20cret", "reads"):
            assert secret not in told + caplog.text


async def refusal(target: Target, url: str, name: str = "r", **options: Any) -> str:
    """Return the reason why a relay ends."""
    async with prepared(target, url, name, **options) as relay:
        with pytest.raises(SinkRefused) as refused:
            await asyncio.wait_for(relay.run(), WAIT_SECONDS)
        return refused.value.message


def test_passwords_and_tokens_of_addresses_are_found_so_that_nothing_shows_them() -> None:
    text = "nats://ann:p%40ss@a:4222,tls://t0ken@b,nats://c"
    assert {*secrets_in(text)} == {"p%40ss", "p@ss", "t0ken"}
    address = NatsAddress(parse_servers(text))
    assert address.shown == "nats://a:4222,tls://b:4222,nats://c:4222"
    assert address.login == {"user": "ann", "password": "p@ss"}
    assert NatsAddress(parse_servers("nats://t0ken@[::1]:1")).login == {"token": "t0ken"}


@each_case("url", ["http://a", "nats://", "nats://a:0", "nats://a/b", "nats://s3cret:x@"])
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidInput, match="expected nats://host:4222") as refused:
        parse_servers(url)
    assert "s3cret" not in refused.value.message


async def test_over_tls_only_a_server_with_a_certificate_that_is_trusted_gets_the_password(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    await append(recorder, "a", 3)
    ca, certificate = self_signed(tmp_path)
    config = f'tls {{ cert_file: "{certificate}", key_file: "{certificate}" }}'
    config += '\nauthorization { user: relay, password: "s3cret" }'
    async with running_nats(config) as broker:
        url = f"tls://relay:s3cret@localhost:{broker.port}"
        assert "CERTIFICATE_VERIFY_FAILED" in await refusal(target, url)
        async with running(target, url, files={"ca": ca}):
            await until_kept(target, 3)
    async with plain_text_server() as (port, received):
        url = f"tls://relay:s3cret@localhost:{port}"
        assert "secure connection" in await refusal(target, url, files={"ca": ca})
        assert b"s3cret" not in received


async def test_a_seed_in_a_file_is_a_login_and_nothing_of_it_is_sent_or_shown(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    await append(recorder, "a", 3)
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    file = tmp_path / "relay.nk"
    file.write_bytes(seed + b"\n")
    async with running_nats(f"authorization {{ users: [ {{ nkey: {public} }} ] }}") as broker:
        async with running(target, broker.url, files={"credentials": file}):
            await until_kept(target, 3)
        for broken in (seed[:20], b"-----BEGIN NATS USER JWT-----\n" + seed):
            file.write_bytes(broken)
            told = await refusal(target, broker.url, files={"credentials": file})
            assert str(file) in told
            assert broken[-12:].decode() not in told


def self_signed(directory: Path) -> tuple[Path, Path]:
    """Create a self-signed certificate of localhost, without and with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    ).public_bytes(serialization.Encoding.PEM)
    written = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "ca.pem").write_bytes(certificate)
    (directory / "both.pem").write_bytes(certificate + written)
    return directory / "ca.pem", directory / "both.pem"


@asynccontextmanager
async def plain_text_server() -> AsyncIterator[tuple[int, bytearray]]:
    """Run a NATS server without TLS, and record its input."""
    received = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"version":"2.10.0","headers":true,"max_payload":1048576}\r\n')
        while data := await reader.read(1000):
            received.extend(data)
        writer.close()

    server = await asyncio.start_server(listen, "localhost", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], received
