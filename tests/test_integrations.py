"""Receivers and commands of docs/integrations.md, brokers.md and assistants.md work with a real log."""

import asyncio
import json
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError

import pytest
from typer.testing import CliRunner

from deploy.bootstrap import running_tracker
from deploy.cli import endpoint, relay
from deploy.cli.main import app
from deploy.config import settings
from deploy.postgres import Postgres
from schema.services import Access, Services
from tests.conftest import copied
from tests.support.fact_builders import announced, suspended
from tests.support.node import has_node
from tests.support.ports import free_port
from tests.support.receivers import answer, receiving
from tests.support.time_limits import within
from tests.support.web_server import serving
from tracker.audit.format.signed_note import Signer
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.delivery.deliverer import DeliveryOptions
from tracker.delivery.endpoint import EndpointFilter, Manager, NewEndpoint
from tracker.delivery.message import Message, batch_message, event_message
from tracker.delivery.schedule import (
    JITTER_SHARE,
    LAST_INTERVAL_SECONDS,
    SCHEDULE_SECONDS,
    Schedule,
)
from tracker.delivery.sender import Sender
from tracker.delivery.signatures import Algorithm, SigningKey, generate_key, sign
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool
from tracker.web.networks import Networks

DOCS = Path(__file__).parents[1] / "docs"
PAGE = "".join(
    (DOCS / f"{name}.md").read_text("utf-8") for name in ("integrations", "brokers", "assistants")
)
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
HERE = Networks.parse(["127.0.0.0/8"])
KEY = generate_key(Algorithm.ED25519)
PUBLIC_KEY = str(KEY.public_text)
UNITS_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")


def block(language: str, part: str) -> str:
    """Return the one code block in a language with a given part."""
    [found] = [text for kind, text in BLOCKS if kind == language and part in text]
    return found


class Receiver:
    """A receiver of the page in a separate process, with its stored events."""

    def __init__(self, language: str, directory: Path):
        self.language, self.directory = language, directory
        self.process: subprocess.Popen[bytes] | None = None
        name = "receiver.py" if language == "python" else "receiver.mjs"
        self._program = [sys.executable if language == "python" else "node", name]
        (directory / name).write_text(block(language, f" {name} PORT"), encoding="utf-8")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    async def start(self, key: str) -> None:
        """Start it for a public key and wait until it listens."""
        self.process = subprocess.Popen(
            [*self._program, str(self.port), key],
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        async with asyncio.timeout(within(20)):
            while True:
                assert self.process.poll() is None
                try:
                    socket.create_connection(("127.0.0.1", self.port)).close()
                    return
                except ConnectionRefusedError:
                    await asyncio.sleep(0.02)

    def kill(self) -> None:
        """Kill it, like a fault."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def kept(self) -> list[int]:
        """Return its stored positions, in the order of writing."""
        if self.language == "python":
            return [row[0] for row in self.ask("SELECT position FROM events ORDER BY rowid")]
        lines = (self.directory / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [int(json.loads(line)["position"]) for line in lines]

    def ask(self, query: str) -> list[tuple[int, ...]]:
        """Return a result from the database of the Python receiver."""
        with closing(sqlite3.connect(self.directory / "events.db")) as database:
            return database.execute(query).fetchall()


@pytest.fixture(params=["python", "js"])
async def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Receiver]:
    """Run each of the receivers with a key."""
    if request.param == "js" and not has_node():
        pytest.skip("this machine does not have node")
    found = Receiver(request.param, tmp_path)
    await found.start(PUBLIC_KEY)
    yield found
    found.kill()


@pytest.fixture(scope="module")
def events(server: Postgres, corpus_template: str) -> list[RecordedEvent]:
    """Return the first events of the corpus."""

    async def read(target: Target) -> list[RecordedEvent]:
        pool = await create_pool(target)
        try:
            return await Recorder(pool).read(0, limit=12)
        finally:
            await pool.close()

    [found] = [asyncio.run(read(target)) for target in copied(server, corpus_template)]
    return found


def batch(events: Sequence[RecordedEvent]) -> Message:
    """Return consecutive events as one delivery."""
    return batch_message([(event, event.position - 1) for event in events])


async def statuses(receiver: Receiver, *messages: Message, key: SigningKey = KEY) -> list[object]:
    """Return a receiver's statuses for deliveries."""
    async with Sender(HERE, "localhost") as sender:
        answers = [await sender.send(receiver.url, message, [key]) for message in messages]
    return [answer.status or answer.error for answer in answers]


async def test_a_receiver_keeps_each_event_once_though_it_is_killed_and_sent_to_again(
    receiver: Receiver, events: list[RecordedEvent]
) -> None:
    one, *others = events
    first = event_message(one, 0)
    assert await statuses(receiver, first, first, batch(others[:4])) == [204, 204, 204]
    receiver.kill()
    await receiver.start(PUBLIC_KEY)
    again, rest = (
        batch(others[2:6]),
        [event_message(event, event.position - 1) for event in others[6:]],
    )
    assert set(await statuses(receiver, again, *rest, first)) == {204}
    assert receiver.kept() == [event.position for event in events]


async def test_a_receiver_takes_nothing_that_its_sender_did_not_sign_just_now(
    receiver: Receiver, events: list[RecordedEvent]
) -> None:
    message = event_message(events[0], 0)
    assert await statuses(receiver, message, key=generate_key(Algorithm.ED25519)) == [401]

    def post(timestamp: int, body: bytes, **headers: str) -> int:
        signature = sign([KEY], message.id, timestamp, message.body)
        request = urllib.request.Request(
            receiver.url,
            body,
            {
                "webhook-id": message.id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature,
                **headers,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=within(10)) as response:
                return int(response.status)
        except HTTPError as error:
            return error.code

    now = int(time.time())
    assert await asyncio.to_thread(post, now - 400, message.body) == 401
    assert await asyncio.to_thread(post, now, message.body + b" ") == 401
    for wrong in ("", "v1a", "v1a,%", "v1,abcd"):
        asked = {"webhook-signature": wrong}
        assert await asyncio.to_thread(lambda asked=asked: post(now, message.body, **asked)) == 401
    assert await asyncio.to_thread(post, now, message.body) == 204
    assert receiver.kept() == [events[0].position]


async def test_the_query_of_the_page_names_what_was_set_aside_until_it_comes(
    tmp_path: Path, events: list[RecordedEvent]
) -> None:
    receiver = Receiver("python", tmp_path)
    await receiver.start(PUBLIC_KEY)
    messages = [event_message(event, event.position - 1) for event in events]
    assert set(await statuses(receiver, *messages[4:6], *messages[7:])) == {204}
    query = block("sql", "previousposition")
    assert receiver.ask(query) == [(events[6].position, events[7].position)]
    assert await statuses(receiver, messages[6]) == [204]
    assert receiver.ask(query) == []
    receiver.kill()


async def test_the_receiver_in_python_agrees_to_deliveries_when_it_is_asked(tmp_path: Path) -> None:
    receiver = Receiver("python", tmp_path)
    await receiver.start(PUBLIC_KEY)
    async with Sender(HERE, "tracker.example.com") as sender:
        agreed = await sender.handshake(receiver.url)
    receiver.kill()
    assert getattr(agreed, "allowed", None) is True


def test_the_line_that_takes_off_what_was_appended_gives_the_entry(
    events: list[RecordedEvent],
) -> None:
    line = next(text for _, text in BLOCKS if text.startswith("entry = re.sub"))
    for event in events:
        for proof in (None, "c2sp.org/tlog-proof@v1\nindex 1\n\nexample.com/log\n— a b=\n"):
            names = {"re": re, "body": event_message(event, event.position - 1, proof).body}
            exec(line, names)
            assert names["entry"] == event.entry


def prove(directory: Path, body: bytes, key: str) -> subprocess.CompletedProcess[str]:
    """Return the output of the independent proof program for a delivered event."""
    (directory / "prove.py").write_text(block("python", "prove.py BODY"), encoding="utf-8")
    (directory / "body").write_bytes(body)
    (directory / "log.key").write_text(key, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "prove.py", "body", "log.key"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=within(60),
    )


async def test_a_delivery_proves_that_it_is_in_the_signed_log(
    target: Target, tmp_path: Path
) -> None:
    keys = KeyStore(tmp_path / "audit")
    signing, asked = SigningOptions(keys, "example.com/log"), DeliveryOptions(HERE, "x")
    async with (
        receiving(answer("204 No Content")) as receiver,
        running_tracker(target, signing, delivery=asked) as services,
    ):
        for number in range(5):
            await services.commands.record(f"export-control/{number}", announced())
        new = NewEndpoint(receiver.url, "proven", after=0, with_proof=True)
        await services.endpoints.add(new, Manager("ann"))
        async with asyncio.timeout(within(30)):
            while len(receiver.requests) < 6:  # a handshake comes first
                await asyncio.sleep(0.02)
        key = str(keys.keys().signers[-1].verifier)
        entries = [event.entry for event in await services.recorder.read(0)]
    bodies = [request.body for request in receiver.requests[1:6]]
    for number, body in enumerate(bodies, 1):
        result = await asyncio.to_thread(prove, tmp_path, body, key)
        assert result.stdout.startswith(f"position {number} of example.com/log, which had ")
        assert body.startswith(entries[number - 1][:-1])
    other = str(Signer.new("example.com/log").verifier)
    first, second = (
        json.dumps(json.loads(body)["proof"], ensure_ascii=False).encode() for body in bodies[:2]
    )
    for body, by in (
        (bodies[0].replace(b"ExportControl.", b"ExportControl_"), key),
        (bodies[0].replace(b'"position":"1"', b'"position":"2"'), key),
        (bodies[0].replace(first, second), key),
        (bodies[0], other),
    ):
        assert (body, by) != (bodies[0], key)
        assert (await asyncio.to_thread(prove, tmp_path, body, by)).returncode != 0


async def test_a_receiver_that_is_killed_on_the_way_has_every_event_of_its_filter_once(
    receiver: Receiver, target: Target
) -> None:
    receiver.kill()
    quick = DeliveryOptions(HERE, "tracker.example.com", Schedule((0, 0.05), 0.05))
    ann, wanted = Manager("ann"), EndpointFilter(types=("ExportControl.Suspended",))
    async with running_tracker(target, delivery=quick) as services:
        most = 1 if receiver.language == "python" else 3
        asked = NewEndpoint(receiver.url, "n", 0, wanted, max_batch_events=most)
        endpoint, _ = await services.endpoints.add(asked, ann)
        [key] = endpoint.keys

        async def come_to(position: int) -> None:
            """Wait until the endpoint has had everything up to a position."""
            async with asyncio.timeout(within(30)):
                while (await services.endpoints.get("n", ann)).position < position:
                    await asyncio.sleep(0.02)

        assert key.public_key
        expected = []
        for number in range(8):
            await services.commands.record(f"export-control/{number}", announced())
            done = await services.commands.record(f"export-control/{number}", suspended())
            expected += done.positions
            if number == 3:
                await receiver.start(key.public_key)
                await come_to(1)
                receiver.kill()
        await receiver.start(key.public_key)
        await come_to(await services.recorder.head())
        replayed = await services.endpoints.replay("n", ann, 1, None)
        async with asyncio.timeout(within(30)):
            while (await services.endpoints.get("n", ann)).replay:
                await asyncio.sleep(0.02)
    assert replayed.replay
    assert replayed.replay.events == len(expected) == 8
    assert receiver.kept() == expected
    if receiver.language == "python":
        assert receiver.ask(block("sql", "previousposition")) == []


def shell(script: str, directory: Path) -> str:
    """Return the output of shell lines, which must succeed."""
    result = subprocess.run(
        ["bash", "-c", f"set -e\n{script}"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=within(60),
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@needs_curl
async def test_curl_asks_for_what_is_new_and_for_nothing_twice(
    corpus_services: Services, tmp_path: Path
) -> None:
    if not shutil.which("jq"):
        pytest.skip("this machine has no jq")
    async with serving(corpus_services, Access()) as (address, *_):
        script = block("sh", "after=$(tail").replace("127.0.0.1:8000", address)
        first = script.replace("commodity=gallium", "commodity=gallium&limit=3")
        await asyncio.to_thread(shell, first, tmp_path)
        begun = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
        for _ in range(2):
            await asyncio.to_thread(shell, script, tmp_path)
        whole = tmp_path / "whole"
        whole.mkdir()
        await asyncio.to_thread(shell, script, whole)
    assert len(begun) == 3
    kept = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    assert kept == (whole / "events.jsonl").read_text(encoding="utf-8")
    assert len(set(kept.splitlines())) == kept.count("\n") > 100


@needs_curl
async def test_openssl_verifies_a_delivery_and_the_log_has_the_same_bytes(
    events: list[RecordedEvent], tmp_path: Path
) -> None:
    if not shutil.which("openssl"):
        pytest.skip("this machine has no openssl")
    event = events[3]
    async with receiving(answer("204 No Content")) as receiver, Sender(HERE, "x") as sender:
        assert (await sender.send(receiver.url, event_message(event, 2, "a\nb"), [KEY])).delivered
    [request] = receiver.requests
    (tmp_path / "body").write_bytes(request.body)
    given = {
        "KEY": PUBLIC_KEY,
        "ID": request.headers["webhook-id"],
        "TIMESTAMP": request.headers["webhook-timestamp"],
        "SIGNATURE": request.headers["webhook-signature"],
        "POSITION": event.position,
    }
    variables = "".join(f"{name}='{value}'\n" for name, value in given.items())
    script = variables + block("sh", "openssl pkeyutl")
    assert "Verified Successfully" in await asyncio.to_thread(shell, script, tmp_path)
    (tmp_path / "log").mkdir()
    entries = tmp_path / "log" / "entries"
    entries.mkdir()
    (entries / str(event.position)).write_bytes(event.entry)
    compare = block("sh", "cmp - entry").replace("http://127.0.0.1:8000", tmp_path.as_uri())
    assert await asyncio.to_thread(shell, variables + compare, tmp_path) == "the same\n"
    (tmp_path / "body").write_bytes(request.body.replace(b'"version":', b'"version": '))
    with pytest.raises(AssertionError):
        await asyncio.to_thread(shell, script, tmp_path)


def test_the_times_of_the_page_are_those_at_which_deliveries_are_tried() -> None:
    table = PAGE.partition("| attempt | delay")[2].partition("\n\n")[0]
    shown = [row.split("|")[2].strip() for row in table.splitlines()[2:]]
    assert shown.pop(0) == "at once"
    assert "a tenth" in shown[-1]
    seconds = [
        int(number) * UNITS_SECONDS[unit.rstrip("s")]
        for number, unit in (row.partition(",")[0].split() for row in shown)
    ]
    assert (0, *seconds) == (*SCHEDULE_SECONDS, LAST_INTERVAL_SECONDS)
    assert JITTER_SHARE == 0.1


def test_programs_of_assistants_are_told_of_a_tracker_that_can_be_started() -> None:
    web, desktop = (json.loads(text)["mcpServers"] for kind, text in BLOCKS if kind == "json")
    assert web["critical-minerals"]["url"].endswith("/mcp")
    started = desktop["critical-minerals"]
    assert Path(started["command"]).name == "tracker"
    settings.check(started["env"])
    asked = CliRunner().invoke(app, [*started["args"], "--help"])
    assert asked.exit_code == 0


def test_every_command_of_the_page_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Understood(Exception):
        """The end of a command that needs a database; `tests/deploy/test_endpoint_cli.py` has the rest."""

    def stop(*_: object, **__: object) -> None:
        raise Understood

    monkeypatch.setattr(endpoint, "manage", stop)
    for module in (endpoint, relay):
        monkeypatch.setattr(module, "run_with_database", stop)
    commands = [
        text.removeprefix("tracker ")
        for kind, block in BLOCKS
        for text in block.splitlines()
        if kind == "sh" and text.startswith(("tracker endpoint ", "tracker relay "))
    ]
    inline = re.findall(r"`tracker (endpoint \w+ ministry.*?)`", PAGE)
    assert (len(commands), len(inline)) == (12, 3)
    for command in commands + [text.replace("…", "why") for text in inline]:
        result = CliRunner().invoke(app, shlex.split(command))
        assert isinstance(result.exception, Understood), (command, result.output)
