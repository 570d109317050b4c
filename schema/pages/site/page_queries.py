"""Queries of pages, executed like those of API clients."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson

from schema.execution.execute import QUERIES, refusal
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.execution.url_parameters import SCENARIO
from schema.http.authentication import AccessControl
from schema.http.graphql_http import cache_control
from schema.http.rendered import Key, RenderedPage, RenderedPages
from schema.pages.site.page_request import PageRequest


class PageQueries:
    """Executor of queries for the reader of a page, with their rights and limits."""

    def __init__(self, access_control: AccessControl, answers: ResponseCache):
        self._access_control = access_control
        self._answers = answers

    async def answer(self, page_request: PageRequest) -> Answer | dict[str, Any]:
        """Return the response to the query of a page, without errors. Raises its errors."""
        return await self._execute(page_request, self.query(page_request))

    async def rendered(
        self,
        page_request: PageRequest,
        pages: RenderedPages,
        key: Key,
        render: Callable[[Mapping[str, Any]], str],
    ) -> RenderedPage:
        """Return the cached page of a key, or render it from the data of its query and cache it.

        It is cached as long as the response to the query is.
        """
        answer = await self.answer(page_request)
        tag = answer.tag if isinstance(answer, Answer) else None
        page = pages.get((*key, tag)) if tag else None
        if page is None:
            async with self.query_slot(page_request):
                html = await asyncio.to_thread(render, data_of(answer))
            page = pages.store((*key, tag), html) if tag else RenderedPage(html.encode())
        return page

    def query(self, page_request: PageRequest) -> QueryRequest:
        """Return the query of a page. Raises InvalidInput."""
        page = page_request.page
        variables = page.variables(page_request.address)
        caller, scenario = page_request.client.caller, page_request.address.scenario
        return QueryRequest(page.document, variables, page.operation, caller, scenario)

    async def execute(
        self, page_request: PageRequest, document: str, operation: str, variables: Mapping[str, Any]
    ) -> Answer | dict[str, Any]:
        """Return the response to another query about the page, such as that of a feed."""
        query = QueryRequest(document, variables, operation, page_request.client.caller)
        return await self._execute(page_request, query)

    async def _execute(
        self, page_request: PageRequest, query: QueryRequest
    ) -> Answer | dict[str, Any]:
        answer = await self._answers.answer(query, QUERIES, self.query_slot(page_request))
        if not isinstance(answer, Answer):
            for error in answer.get("errors", ()):
                raise refusal(error)
        return answer

    def query_slot(self, page_request: PageRequest) -> AbstractAsyncContextManager[None]:
        """Return the query slot of a client for further work, such as rendering.

        So a client with many requests does not delay others.
        """
        return self._access_control.work_slot(page_request.client)

    def cache_control(self, page_request: PageRequest) -> str:
        """Return how long copies of the response may be stored, and by whom."""
        if page_request.address.scenario:
            return "no-store"
        return cache_control(
            self._access_control.is_shared(page_request.request), page_request.address.pinned
        )


def data_of(answer: Answer | dict[str, Any]) -> Mapping[str, Any]:
    """Return the data of a response, and the mark of its scenario."""
    result = orjson.loads(answer.body) if isinstance(answer, Answer) else answer
    mark = result.get("extensions", {}).get(SCENARIO)
    return {**result["data"], **({SCENARIO: mark} if mark else {})}
