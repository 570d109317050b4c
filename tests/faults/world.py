"""A tracker under load: its process, its commands and acknowledgements, and its follower."""

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
    """A tracker under load, optionally behind a proxy for an external PostgreSQL, or on a small disk."""

    writer_kinds: ClassVar[Sequence[type[Writer]]] = (Mutating, Mutating, Mutating, Appending)

    def __init__(
        self,
        data_dir: Path,
        *,
        proxy: Proxy | None = None,
        disk: Disk | None = None,
        rival: bool = False,
    ):
        """Initialize; a `rival` is a second server on the same database, without writers."""
        super().__init__()
        self.data_dir = data_dir
        self.proxy = proxy
        self.disk = disk
        self._has_rival = rival
        self.rival: Running | None = None
        self.seen: list[tuple[int, str]] = []
        """Events received by the follower."""
        self.came = Came(0, 0)
        """Numbers of deliveries, if this environment delivers."""

    async def __aenter__(self) -> Self:
        """Serve and follow."""
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
        """End all parts."""
        self._following.cancel()
        self._pool.terminate()
        await self.http.aclose()
        for server in (self.serving, self.rival):
            if server and server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
                await asyncio.to_thread(server.stop)

    async def serve(self) -> None:
        """Run `tracker serve`, and return once it serves."""
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
        """Wait until `tracker serve` ends, and return its exit code."""
        return await asyncio.to_thread(self.serving.ended)

    async def ask(self, document: str, **variables: Any) -> Any:
        """Return the data of a response of the running tracker."""
        return await self.ask_server(self.serving.url, document, **variables)

    async def answered(self, document: str) -> None:
        """Send a query until it succeeds, because a fault may hit it too."""
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while True:
                with suppress(Broken):
                    await self.ask(document)
                    return
                await asyncio.sleep(0.05)

    def url_for(self, writer: Writer) -> str:
        """Return the first server, which all writers use."""
        return self.serving.url

    def last_words(self) -> str:
        """Return the output of the first server."""
        return self.serving.output[-2000:]

    def settings(self) -> Mapping[str, str]:
        """Return additional settings of its servers."""
        return {}

    async def check_more(self, log: Sequence[RecordedEvent]) -> None:
        """Check the additional guarantees of this environment. Raises Broken."""

    def _find_database(self) -> Target:
        """Return the target of the database; that of an embedded server does not change."""
        if self.proxy:
            return self.proxy.target
        found = running(self.data_dir)
        assert found, self.serving.output
        return found.connection.kwargs()

    async def _follow(self) -> None:
        """Follow the log as integrations do, from the last position after an error."""
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
