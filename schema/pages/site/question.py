"""The questions of pages: they go the very way that those of API clients go."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson

from schema.execution.execute import QUERIES, refusal
from schema.execution.response_cache import Answer, Question, ResponseCache
from schema.http.authentication import AccessControl
from schema.http.graphql_http import cache_control
from schema.pages.site.page_request import PageRequest


class PageQuestions:
    """Asks on behalf of who asks for a page: with their rights, in their turns."""

    def __init__(self, access_control: AccessControl, answers: ResponseCache):
        self._access_control = access_control
        self._answers = answers

    async def answer(self, asked: PageRequest) -> Answer | dict[str, Any]:
        """The answer to the question of a page, without errors. Raises what it was refused with."""
        page = asked.page
        return await self.ask(asked, page.document, page.operation, page.variables(asked.address))

    async def ask(
        self, asked: PageRequest, document: str, operation: str, variables: Mapping[str, Any]
    ) -> Answer | dict[str, Any]:
        """The same for another question about it, such as that of a feed."""
        answer = await self._answers.answer(
            Question(document, variables, operation, asked.client.caller), QUERIES, self.turn(asked)
        )
        if not isinstance(answer, Answer):
            for error in answer.get("errors", ()):
                raise refusal(error)
        return answer

    def turn(self, asked: PageRequest) -> AbstractAsyncContextManager[None]:
        """The time in which something is worked out for a client, such as a page from its answer:
        who asks for many makes others wait for few."""
        return self._access_control.work_slot(asked.client)

    def cache_control(self, asked: PageRequest) -> str:
        """How long copies of what is answered may be kept, and by whom."""
        return cache_control(self._access_control.is_shared(asked.request), asked.address.pinned)


def data_of(answer: Answer | dict[str, Any]) -> Mapping[str, Any]:
    """The data of an answer."""
    found = orjson.loads(answer.body) if isinstance(answer, Answer) else answer
    data: Mapping[str, Any] = found["data"]
    return data
