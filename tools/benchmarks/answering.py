"""An API server process for `graphql.py` and `pooling.py`.

Run `python -m tools.benchmarks.answering TARGET BYTES BYTES [POOLED]`, with targets as JSON and the
cache sizes of responses and states. It prints its port.
"""

import asyncio
import json
import sys

from deploy.bootstrap import running_tracker
from deploy.cli.process import freeze_gc, run
from deploy.output.log_format import LogLevel
from deploy.web.server import create_server, listening_socket
from projections.lru_cache import SizedLruCache
from schema.app import create_app
from schema.services import Access


async def serve(target: str, answers_bytes: str, states_bytes: str, pooled: str = "null") -> None:
    """Serve until the process ends."""
    async with running_tracker(json.loads(target), pooled=json.loads(pooled)) as services:
        services.as_of.lists.states.kept = SizedLruCache(int(states_bytes))
        listening = listening_socket("127.0.0.1", 0)
        app = create_app(services, Access(), answers_bytes=int(answers_bytes))
        serving = create_server(app, LogLevel.WARNING).serve(sockets=[listening])
        server = asyncio.create_task(serving)
        freeze_gc()
        print(listening.getsockname()[1], flush=True)
        await server


if __name__ == "__main__":
    run(serve(*sys.argv[1:]))
