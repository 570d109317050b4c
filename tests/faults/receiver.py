"""A receiver of deliveries in a separate process. It stores each with fsync before it accepts it.

    python -m tests.faults.receiver FILE PORT

It prints its port when it listens. A line of the file is the id of a delivery, a tab and its body.
"""

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import web

MAX_BODY_BYTES = 128 * 1024**2
"""Maximum bytes of a batch; none is refused."""


async def receive(file: Path, port: int) -> None:
    """Receive until the process is killed."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    cut_torn_end(file)

    async def keep(request: web.Request) -> web.Response:
        """Store a delivery and accept it."""
        line = b"%s\t%s\n" % (request.headers["webhook-id"].encode(), await request.read())
        while line:
            line = line[os.write(descriptor, line) :]
        os.fsync(descriptor)
        return web.Response(status=204)

    async def agree(_: web.Request) -> web.Response:
        """Accept the handshake."""
        return web.Response(headers={"WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "*"})

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.add_routes([web.post("/", keep), web.options("/", agree)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def cut_torn_end(file: Path) -> None:
    """Cut off an incomplete line of a killed process, which was never accepted."""
    whole = file.read_bytes().rpartition(b"\n")
    os.truncate(file, len(whole[0]) + len(whole[1]))


if __name__ == "__main__":
    asyncio.run(receive(Path(sys.argv[1]), int(sys.argv[2])))
