"""Check of a requested target: a subscription is accepted only if its page and its digest have an answer."""

import asyncio

from starlette.requests import Request

from schema.execution.response_cache import ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.pages.alerts.digests import Digests
from schema.pages.alerts.targets import INVALID_TARGET, Target
from schema.pages.alerts.texts import Point
from schema.pages.site.html import session
from schema.pages.site.page_queries import PageQueries, data_of
from schema.pages.site.page_request import PageRequest
from schema.services import Services
from tracker import clock
from tracker.errors import InvalidInput, NotFound, below


class TargetCheck:
    """Executes the queries of a target for the reader that requests it, within their limits."""

    def __init__(self, services: Services, access_control: AccessControl, answers: ResponseCache):
        self._services = services
        self._queries = PageQueries(access_control, answers)
        self._digests = Digests(services)

    async def require_answer(self, request: Request, client: Client, target: Target) -> None:
        """Refuse a target whose page or digest has no answer now.

        Raises InvalidInput at `target` with the error of the page, and Unavailable.
        """
        page = PageRequest(request, client, target.page, target.address, session(client))
        try:
            with below("target"):
                data = data_of(await self._queries.answer(page))
                async with self._queries.query_slot(page):
                    await asyncio.to_thread(target.page.view, data, target.address)
                    now = Point(clock.today(), await self._services.recorder.head())
                    await self._digests.digest(target, now, now)
        except NotFound as error:
            raise InvalidInput(error.message, code=INVALID_TARGET, path=error.path) from None
