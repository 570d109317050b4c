"""A tracker under load: its process, what it was sent and acknowledged, and who follows it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx2
from websockets import WebSocketException

from deploy.bootstrap import APPEND_TIMEOUT_SECONDS
from deploy.postgres import running
from tests.faults.delivered import Came
from tests.faults.disk import Disk
from tests.faults.load import WAIT_TIMEOUT_SECONDS, Broken, Load
from tests.faults.proxy import Proxy
from tests.faults.writers import TOKEN, Appending, Mutating, Writer
from tests.support.processes import Running
from tests.support.time_limits import within
from tests.support.websocket_client import connected, receive, subscribe
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool

EVENTS = "subscription ($after: Position) { events(after: $after) { position eventId } }"


class SystemUnderLoad(Load):
    """A tracker under load; behind a proxy where PostgreSQL is not its own, on a disk that can be
    filled where it has one."""

    writer_kinds: ClassVar[Sequence[type[Writer]]] = (Mutating, Mutating, Mutating, Appending)

    def __init__(
        self,
        data_dir: Path,
        *,
        proxy: Proxy | None = None,
        disk: Disk | None = None,
        rival: bool = False,
    ):
        """With a `rival`, a second server on the same database: nobody writes to that one."""
        super().__init__()
        self.data_dir = data_dir
        self.proxy = proxy
        self.disk = disk
        self._has_rival = rival
        self.rival: Running | None = None
        self.seen: list[tuple[int, str]] = []
        """What the follower has got."""
        self.came = Came(0, 0)
        """What has been delivered, where this world delivers."""

    async def __aenter__(self) -> Self:
        """Serve, and follow."""
        await self.serve()
        if self._has_rival:
            await self.serve_rival()
        self.http = httpx2.AsyncClient(timeout=within(30))
        self.target = self._find_database()
        self._pool = await create_pool(self.target, seconds=APPEND_TIMEOUT_SECONDS)
        self.recorder = Recorder(self._pool)
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all of it."""
        self._following.cancel()
        self._pool.terminate()
        await self.http.aclose()
        for server in (self.serving, self.rival):
            if server and server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
                await asyncio.to_thread(server.stop)

    async def serve(self) -> None:
        """Run `tracker serve`, and come back once it serves."""
        self.serving = await self._run(self.data_dir.name)

    async def serve_rival(self) -> None:
        """Run the second server."""
        self.rival = await self._run("rival")

    async def _run(self, name: str) -> Running:
        url = {"TRACKER_DATABASE_URL": self.proxy.url} if self.proxy else {}
        return await asyncio.to_thread(
            Running,
            "serve",
            data_dir=self.data_dir.with_name(name),
            TRACKER_WRITE_TOKEN=TOKEN,
            **url,
            **self.settings(),
        )

    async def ended(self) -> int:
        """Wait until `tracker serve` ends by itself; its exit code."""
        return await asyncio.to_thread(self.serving.ended)

    async def ask(self, document: str, **variables: Any) -> Any:
        """The data of an answer; whoever asks knows that the tracker is up."""
        return await self.ask_server(self.serving.url, document, **variables)

    async def answered(self, document: str) -> None:
        """Ask until there is an answer: in the midst of a fault a question may meet it too."""
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while True:
                with suppress(Broken):
                    await self.ask(document)
                    return
                await asyncio.sleep(0.05)

    def url_for(self, writer: Writer) -> str:
        """The first server: all write to that one."""
        return self.serving.url

    def last_words(self) -> str:
        """What the first server has said."""
        return self.serving.output[-2000:]

    def settings(self) -> Mapping[str, str]:
        """Settings of its servers, beside those that all have."""
        return {}

    async def check_more(self, log: Sequence[RecordedEvent]) -> None:
        """What is promised of this world beside what is promised of every one. Raises Broken."""

    def _find_database(self) -> Target:
        """How to reach the database that is served; a server's own stays at its place."""
        if self.proxy:
            return self.proxy.target
        found = running(self.data_dir)
        assert found, self.serving.output
        return found.connection.kwargs()

    async def _follow(self) -> None:
        """Follow the log as integrations do; after a break, from the last position seen."""
        while True:
            with suppress(OSError, WebSocketException):
                await self._follow_once()
            await asyncio.sleep(0.05)

    async def _follow_once(self) -> None:
        address = f"{self.serving.url.replace('http', 'ws', 1)}/graphql"
        async with connected(address) as socket:
            await subscribe(socket, EVENTS, after=str(self.seen[-1][0] if self.seen else 0))
            while data := (await receive(socket))["payload"].get("data"):
                event = data["events"]
                self.seen.append((int(event["position"]), event["eventId"]))
