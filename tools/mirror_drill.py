"""Drill of a mirror with readers: `python -m tools.mirror_drill [READERS [SECONDS]]`.

It runs a demo, a mirror of it, and Varnish before each. Readers follow pages of `/events`, one half at each
server, while an event is recorded every two seconds, and the two servers are killed (SIGKILL) and started
again in turn. At the end each reader must have every event once, in order.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError

from tests.support.ports import free_port

VCL = Path(__file__).parents[1] / "deploy" / "manifests" / "proxy" / "varnish.vcl"
RECORD = """mutation { foundAlliance(input: {id: "drill-NUMBER", on: "2026-01-01", name: "Drill",
    source: {publisher: "test", name: "Drill", publishedOn: "2026-01-01"}}) { position } }"""
EVENT_SECONDS, KILL_SECONDS = 2.0, 12.0


class Server:
    """A tracker that is killed and started again, behind Varnish."""

    def __init__(self, directory: Path, *arguments: str):
        self.port, self.cache_port = free_port(), free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        options = ("--port", str(self.port), "--data-dir", str(directory / "data"))
        self._command = [sys.executable, "-m", "deploy.cli.main", *arguments, *options]
        self._directory = directory
        directory.mkdir()
        directory.chmod(0o755)

    def start(self) -> None:
        """Start the tracker."""
        with (self._directory / "output").open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)

    async def ready(self) -> None:
        """Wait until the tracker answers."""
        while await asyncio.to_thread(fetch, f"{self.address}/readyz") is None:
            assert self._process.poll() is None, (self._directory / "output").read_text()
            await asyncio.sleep(0.2)

    def kill(self) -> None:
        """Kill the tracker."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Stop the tracker and its PostgreSQL."""
        self._process.terminate()
        self._process.wait()

    def start_cache(self, stack: ExitStack) -> None:
        """Start Varnish."""
        file = self._directory / "tracker.vcl"
        file.write_text(VCL.read_text().replace('"8000"', f'"{self.port}"'))
        command = ["varnishd", "-F", "-j", "none", "-n", str(self._directory / "varnish")]
        command += ["-a", f"127.0.0.1:{self.cache_port}", "-f", str(file), "-s", "malloc,64m"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)


def fetch(address: str, body: bytes | None = None, accept: str = "*/*") -> bytes | None:
    """Return the content at an address; None without one."""
    headers = {"Content-Type": "application/json", "Accept": accept}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, body, headers), timeout=20
        ) as r:
            content: bytes = r.read()
            return content
    except (URLError, OSError):
        return None


async def request(port: int, path: str) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Return the status, the headers and the body of a response."""
    reading, writing = await asyncio.open_connection("127.0.0.1", port)
    try:
        writing.write(f"GET {path} HTTP/1.0\r\nAccept: application/x-ndjson\r\n\r\n".encode())
        head, _, body = (await reading.read(-1)).partition(b"\r\n\r\n")
    finally:
        writing.close()
    first, *lines = head.split(b"\r\n")
    headers = dict(line.lower().split(b": ", 1) for line in lines)
    if int(headers.get(b"content-length", len(body))) != len(body):
        raise ConnectionError("cut off")
    return first[9:12], headers, body


async def read(server: Server, path: str, lines: list[bytes], seen: Counter[str]) -> None:
    """Follow the events of a server, until cancelled."""
    while True:
        try:
            status, headers, body = await request(server.cache_port, path)
        except (OSError, IndexError, ValueError):
            status = b"none"
        seen[f"status {status.decode()}"] += 1
        if status != b"200":
            await asyncio.sleep(0.5 + random.random())
            continue
        seen[headers[b"x-cache-status"].decode()] += 1
        lines += body.splitlines()
        path = headers[b"link"].partition(b">")[0][1:].decode()


async def record(server: Server, until: float) -> int:
    """Record events, each until it is recorded. Return their number."""
    number = 0
    while time.monotonic() < until:
        number += 1
        body = json.dumps({"query": RECORD.replace("NUMBER", str(number))}).encode()
        while await asyncio.to_thread(fetch, f"{server.address}/graphql", body) is None:
            await asyncio.sleep(0.2)
        await asyncio.sleep(EVENT_SECONDS)
    return number


async def kill(servers: list[Server], until: float) -> int:
    """Kill the servers in turn. Return the number of kills."""
    number = 0
    while time.monotonic() + KILL_SECONDS < until:
        await asyncio.sleep(KILL_SECONDS)
        server = servers[number % len(servers)]
        server.kill()
        server.start()
        number += 1
    for server in servers:
        await server.ready()
    return number


async def drill(directory: Path, stack: ExitStack, readers: int, seconds: float) -> None:
    """Run the drill, and print the result."""
    origin = Server(directory / "origin", "demo")
    origin.start()
    stack.callback(origin.stop)
    await origin.ready()
    key = directory / "origin.key"
    key.write_bytes(fetch(f"{origin.address}/log/key") or b"")
    options = ("--mirror", f"{origin.address}/log", "--key", str(key))
    mirror = Server(directory / "mirror", "serve", *options)
    mirror.start()
    stack.callback(mirror.stop)
    await mirror.ready()
    servers = [origin, mirror]
    for server in servers:
        server.start_cache(stack)
    await asyncio.sleep(2)
    answer = fetch(f"{origin.address}/graphql", b'{"query": "{ head }"}')
    head = json.loads(answer or b"")["data"]["head"]
    found: list[list[bytes]] = [[] for _ in range(readers)]
    seen = Counter[str]()
    first = f"/events?after={head}&wait=20"
    tasks = [
        asyncio.create_task(read(servers[number % 2], first, lines, seen))
        for number, lines in enumerate(found)
    ]
    until = time.monotonic() + seconds
    events, kills = await asyncio.gather(record(origin, until), kill(servers, until))
    stored = fetch(
        f"{origin.address}/events?follow=false&after={head}", accept="application/x-ndjson"
    )
    expected, began = (stored or b"").splitlines(), time.monotonic()
    while any(lines != expected for lines in found) and time.monotonic() < began + 30:
        await asyncio.sleep(0.1)
    late = time.monotonic() - began
    for task in tasks:
        task.cancel()
    wrong = sum(lines != expected for lines in found)
    assert len(expected) >= events, "an event was recorded and is not in the log"
    print(f"{readers:,} readers, {seconds:.0f} s, {len(expected)} events, {kills} kills")
    print(f"readers with missing or repeated events: {wrong}; the last had all after {late:.1f} s")
    print(f"requests per event and server: {seen['miss'] / len(expected) / 2:.1f}", dict(seen))
    if wrong:
        sys.exit(1)


def main() -> None:
    """Run the drill of the command line."""
    readers, seconds = map(int, [*sys.argv[1:], *("1000", "60")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        os.chmod(directory, 0o755)
        asyncio.run(drill(Path(directory), stack, readers, seconds))


if __name__ == "__main__":
    main()
