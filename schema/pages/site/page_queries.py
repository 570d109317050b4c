"""Queries of pages, executed like those of API clients."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson

from schema.execution.execute import QUERIES, refusal
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.http.authentication import AccessControl
from schema.http.graphql_http import cache_control
from schema.pages.site.page_request import PageRequest


class PageQueries:
    """Executor of queries for the reader of a page, with their rights and limits."""

    def __init__(self, access_control: AccessControl, answers: ResponseCache):
        self._access_control = access_control
        self._answers = answers

    async def answer(self, page_request: PageRequest) -> Answer | dict[str, Any]:
        """Return the response to the query of a page, without errors. Raises its errors."""
        page = page_request.page
        return await self.execute(
            page_request, page.document, page.operation, page.variables(page_request.address)
        )

    async def execute(
        self, page_request: PageRequest, document: str, operation: str, variables: Mapping[str, Any]
    ) -> Answer | dict[str, Any]:
        """Return the response to another query about the page, such as that of a feed."""
        answer = await self._answers.answer(
            QueryRequest(document, variables, operation, page_request.client.caller),
            QUERIES,
            self.query_slot(page_request),
        )
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
        return cache_control(
            self._access_control.is_shared(page_request.request), page_request.address.pinned
        )


def data_of(answer: Answer | dict[str, Any]) -> Mapping[str, Any]:
    """Return the data of a response."""
    result = orjson.loads(answer.body) if isinstance(answer, Answer) else answer
    data: Mapping[str, Any] = result["data"]
    return data
