"""Queries and mutations of pages with forms: through the API, with the rights of the reader."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import orjson

from schema.execution.execute import QUERIES, QUERIES_AND_MUTATIONS, refusal
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.pages.forms.form import ActionForm, Form, mutation_input
from schema.pages.site.fragments import with_fragments
from tracker.errors import TrackerError


class OwnApi:
    """Sends documents of one directory of pages, and actions, to the API."""

    def __init__(self, package: str, access_control: AccessControl, answers: ResponseCache):
        self._package = package
        self._access_control = access_control
        self._answers = answers

    async def query(
        self, document: str, variables: Mapping[str, Any], client: Client
    ) -> Mapping[str, Any]:
        """Return the data of a query. Raises the first error of the response."""
        data, errors = await self._send(self._text(document), variables, client)
        for error in errors:
            raise error
        return data

    async def send(
        self, document: str, variables: Mapping[str, Any], client: Client, form: Form
    ) -> Mapping[str, Any]:
        """Return the data of a query or mutation. Note its errors in the form."""
        data, errors = await self._send(self._text(document), variables, client)
        for error in errors:
            form.note(error)
        return data

    async def carry_out(
        self, form: ActionForm, client: Client, **fixed: str
    ) -> Mapping[str, Any] | None:
        """Return the result of an action; None if it is refused, with the errors in the form."""
        input = form.input(**fixed)
        if form.refused:
            return None
        made, errors = await self.mutate(form.action.mutation, form.action.answer, input, client)
        for error in errors:
            form.note(error)
        return made

    async def mutate(
        self, mutation: str, fields: str, input: Mapping[str, Any], client: Client
    ) -> tuple[Mapping[str, Any] | None, list[TrackerError]]:
        """Return fields of the result of a mutation, and its errors."""
        kind = mutation_input(mutation).name
        text = (
            f"mutation {mutation}($input: {kind}!) {{ {mutation}(input: $input) {{ {fields} }} }}"
        )
        data, errors = await self._send(text, {"input": {**input}}, client, mutation)
        return data.get(mutation), errors

    def _text(self, document: str) -> str:
        text = files(self._package).joinpath(f"{document}.graphql").read_text("utf-8")
        return with_fragments(text)

    async def _send(
        self, text: str, variables: Mapping[str, Any], client: Client, operation: str | None = None
    ) -> tuple[Mapping[str, Any], list[TrackerError]]:
        answer = await self._answers.answer(
            QueryRequest(text, variables, operation, client.caller),
            QUERIES_AND_MUTATIONS if text.startswith("mutation") else QUERIES,
            self._access_control.work_slot(client),
        )
        response = orjson.loads(answer.body) if isinstance(answer, Answer) else answer
        return response.get("data") or {}, [*map(refusal, response.get("errors", ()))]
