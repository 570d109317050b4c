"""Pages of `/events` that caches store and merge."""

from contextlib import aclosing
from urllib.parse import urlencode

from starlette.requests import Request

from schema.http.authentication import FOR_EVER
from schema.inputs.arguments import MAX_WAIT_SECONDS
from schema.services import Services
from tracker import clock
from tracker.log.entries import RecordedEvent
from tracker.log.resume_token import ResumeToken
from tracker.log.selection import Selection, read_selected

PAGE_EVENTS = 1000
"""Events of a page by default, and at most."""
PREFIX = "max-age=60"
"""Cache control of a page that ends at the end of the log: a client continues after it."""
NOTHING = "max-age=1"
"""Cache control of an empty page: long enough for the other requests that wait for it."""


class NextPage:
    """The next events after a position, as one response that caches merge and store.

    A page is full, or ends at the end of the log. The link of an empty page has a new cursor, so that the
    next request is not answered by a cache.
    """

    def __init__(
        self,
        request: Request,
        selection: Selection,
        after: ResumeToken,
        limit: int | None,
        cursor: int | None,
    ):
        self.events = list[RecordedEvent]()
        self._request, self._selection, self._after = request, selection, after
        self._limit = min(limit or PAGE_EVENTS, PAGE_EVENTS)
        self._cursor = cursor or 0

    async def read(self, services: Services) -> None:
        """Read the events, as soon as there are some."""
        recorder = services.recorder
        while not self.events:
            head = await services.follower.grown(self._after.position)
            reading = read_selected(recorder, self._after.position, head, self._selection)
            async with aclosing(reading) as pages:
                async for events in pages:
                    self.events += events[: self._limit - len(self.events)]
                    if len(self.events) == self._limit:
                        return
            self._after = (await recorder.lookup.by_position([head]))[head].resume_token

    @property
    def headers(self) -> dict[str, str]:
        """Return the address of the next page and, of a page with events, its tag."""
        query = [
            (name, value)
            for name, value in self._request.query_params.multi_items()
            if name not in ("after", "cursor")
        ]
        if self.events:
            token = str(self.events[-1].resume_token)
            link = urlencode([*query, ("after", token)])
            return {"Link": f'</events?{link}>; rel="next"', "ETag": f'W/"{token}"'}
        interval = int(clock.now().timestamp()) // MAX_WAIT_SECONDS
        cursor = max(self._cursor + 1, interval)
        link = urlencode([*query, ("after", str(self._after)), ("cursor", cursor)])
        return {"Link": f'</events?{link}>; rel="next"'}

    @property
    def caching(self) -> str:
        """Cache control: a full page never changes, unless a release selects other events."""
        is_closed = len(self.events) == self._limit and not self._selection.by_subject
        return FOR_EVER if is_closed else PREFIX if self.events else NOTHING
