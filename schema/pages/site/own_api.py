"""Questions and commands of pages with forms: they go the very way of API clients, with their rights."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson

from schema.execution.execute import QUERIES, QUERIES_AND_MUTATIONS, refusal
from schema.execution.response_cache import Answer, Question, ResponseCache
from schema.http.authentication import AccessControl, Client


class OwnApi:
    """Asks the API the documents of one directory of pages."""

    def __init__(self, package: str, access_control: AccessControl, answers: ResponseCache):
        self._package = package
        self._access_control = access_control
        self._answers = answers

    async def ask(
        self, document: str, variables: Mapping[str, Any], client: Client
    ) -> Mapping[str, Any]:
        """The data of an answer to a question. Raises the errors of the answer."""
        return await self._answer(document, None, variables, client)

    async def carry_out(
        self, mutation: str, input: Mapping[str, Any], client: Client
    ) -> Mapping[str, Any]:
        """What a mutation of `actions.graphql` answers. Raises what it is refused with."""
        answer = await self._answer("actions", mutation, {"input": {**input}}, client)
        made: Mapping[str, Any] = answer[mutation]
        return made

    async def _answer(
        self, document: str, operation: str | None, variables: Mapping[str, Any], client: Client
    ) -> Mapping[str, Any]:
        text = files(self._package).joinpath(f"{document}.graphql").read_text("utf-8")
        found = await self._answers.answer(
            Question(text, variables, operation, client.caller),
            QUERIES_AND_MUTATIONS if operation else QUERIES,
            self._access_control.work_slot(client),
        )
        answer = orjson.loads(found.body) if isinstance(found, Answer) else found
        for error in answer.get("errors", ()):
            raise refusal(error)
        data: Mapping[str, Any] = answer["data"]
        return data
