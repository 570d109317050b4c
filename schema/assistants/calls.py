"""Calls of tools: their questions go the very way that those of API clients go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from schema.assistants.arguments import read_arguments
from schema.assistants.registry import TOOLS
from schema.assistants.tool import CheckableAnswer, NotThere, Tool
from schema.execution.execute import QUERIES, refusal
from schema.execution.response_cache import Answer, Question, ResponseCache
from schema.http.authentication import AccessControl, Client
from tracker.errors import NotFound, TrackerError


@dataclass(frozen=True, slots=True)
class Calls:
    """Answers calls of tools on behalf of clients: with their rights, in their turns."""

    access_control: AccessControl
    answers: ResponseCache

    async def call(
        self, name: str, given: Mapping[str, Any], client: Client, origin: str
    ) -> CheckableAnswer:
        """The answer of a tool at a server that is reached at `origin`. Raises what it is refused
        with, at the argument that it is about."""
        tool = TOOLS[name]
        arguments = read_arguments(tool.arguments, given)
        asked = tool.variables_of(arguments)
        data = await self._ask(tool, tool.document, tool.operation, asked, client)
        try:
            async with self.access_control.work_slot(client):
                return tool.tell(data, arguments, origin)
        except NotThere as error:
            near = await self._near(tool, error, asked, client)
            raise NotFound(f"{error.message}{near}", path=error.path) from None

    async def _ask(
        self,
        tool: Tool[Any],
        document: str,
        operation: str,
        variables: Mapping[str, Any],
        client: Client,
    ) -> Mapping[str, Any]:
        """The data of an answer without errors."""
        answer = await self.answers.answer(
            Question(document, variables, operation, client.caller),
            QUERIES,
            self.access_control.work_slot(client),
        )
        if isinstance(answer, Answer):
            answer = orjson.loads(answer.body)
        for error in answer.get("errors", ()):
            raise at_argument(tool, refusal(error))
        data: Mapping[str, Any] = answer["data"]
        return data

    async def _near(
        self, tool: Tool[Any], error: NotThere, asked: Mapping[str, Any], client: Client
    ) -> str:
        """The end of a message about a key that nobody knows: what is like it. Numbers have no near
        words, so where nothing has all words the last is left out."""
        moment = {name: value for name, value in asked.items() if name in ("validAt", "position")}
        words = re.findall(r"\w+", error.key)
        for wanted in (words, words[:-1]):
            if not wanted:
                continue
            sought = {**moment, "text": " ".join(wanted), "kinds": error.kinds or None}
            try:
                data = await self._ask(tool, near_document(), "AssistantNear", sought, client)
            except TrackerError:
                return ""  # what is asked about is not there, whatever else is wrong
            if found := [node["entity"] for node in data["asOf"]["search"]["nodes"]]:
                return f"; did you mean {' or '.join(nearest(error.key, found))}?"
        return ""


def nearest(key: str, entities: list[str]) -> list[str]:
    """The entities of names that are most like a key, at most three."""
    names = {entity.partition("/")[2]: entity for entity in entities}
    return [names[name] for name in get_close_matches(key, names, n=3, cutoff=0)]


@cache
def near_document() -> str:
    """The question about near names."""
    return files(__package__).joinpath("near.graphql").read_text("utf-8")


def at_argument(tool: Tool[Any], error: TrackerError) -> TrackerError:
    """An error about a variable of a document, at the argument that has its value."""
    if error.path:
        error.path = (tool.argument_of(str(error.path[0])), *error.path[1:])
    return error
