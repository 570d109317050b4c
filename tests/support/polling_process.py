"""Two polls of a page that takes hours to parse: `python -m tests.support.polling_process`.

It prints a line for each fetched page.
"""

import asyncio

from deploy.cli.process import run
from tests.watch.adapters.drive import TODAY, response, source_of
from tracker.review.finding import Finding
from tracker.watch.adapter import Request, Response
from tracker.watch.adapters.page import ADAPTER
from tracker.watch.poll import drive

MANY_ATTRIBUTES = "<a x=it's " + " ".join(f"a{n}" for n in range(300_000)) + ">x</a>"
"""A tag that only a parser recognises because of its quote: parsing time is quadratic."""


async def fetch(request: Request) -> Response:
    """Respond with the page."""
    print("fetched", flush=True)
    return response(request, MANY_ATTRIBUTES, media_type="text/html")


async def take(finding: Finding) -> None:
    """Ignore a finding."""


async def look_twice() -> None:
    """Poll the page in two tasks; one of them waits for the other."""
    source = source_of(ADAPTER, "https://x.example/")
    polls = [ADAPTER.poll(source, {}, TODAY) for _ in range(2)]
    await asyncio.gather(*(drive(poll, fetch, take) for poll in polls))


if __name__ == "__main__":
    run(look_twice())
