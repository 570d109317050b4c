"""Calls of tools, whose queries are executed like those of API clients."""

import re
from collections.abc import Mapping
from contextlib import nullcontext
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from msgspec import Struct

from schema.assistants.arguments import read_arguments
from schema.assistants.registry import TOOLS
from schema.assistants.tool import CheckableAnswer, NotThere, Tool
from schema.execution.execute import QUERIES, refusal
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.http.authentication import Client
from tracker.errors import NotFound, TrackerError

INPUT = "input"
"""Variable whose fields are arguments of a tool."""


class Calls(Struct, frozen=True):
    """Executor of calls of tools for clients, with their rights. The caller holds their query slot."""

    answers: ResponseCache

    async def call(
        self, name: str, values: Mapping[str, Any], client: Client, origin: str
    ) -> CheckableAnswer:
        """Return the response of a tool; `origin` is the address of the server.

        Raises its errors at the arguments that they name.
        """
        tool = TOOLS[name]
        arguments = read_arguments(tool.arguments, values)
        variables = tool.variables_of(arguments)
        query = QueryRequest(tool.document, variables, tool.operation, client.caller)
        data = data_of(await self._execute(tool, query, client))
        try:
            return tool.answer(data, arguments, origin)
        except NotThere as error:
            near = await self._near(tool, error, variables, client)
            raise NotFound(f"{error.message}{near}", path=error.path) from None

    async def query(
        self, name: str, values: Mapping[str, Any], client: Client
    ) -> tuple[QueryRequest, Answer]:
        """Return the query of a tool with its response, for a receipt. Raises TrackerError."""
        if name not in TOOLS:
            raise NotFound(
                f"there is no tool {name[:50]!r}: expected one of {', '.join(TOOLS)}",
                path=("tool",),
            )
        tool = TOOLS[name]
        variables = tool.variables_of(read_arguments(tool.arguments, values))
        query = QueryRequest(tool.document, variables, tool.operation, client.caller)
        return query, await self._execute(tool, query, client)

    async def _execute(self, tool: Tool[Any], query: QueryRequest, client: Client) -> Answer:
        """Return a response without errors."""
        answer = await self.answers.answer(query, QUERIES, nullcontext())
        if not isinstance(answer, Answer):
            raise at_argument(tool, refusal(answer["errors"][0]))
        return answer

    async def _near(
        self, tool: Tool[Any], error: NotThere, variables: Mapping[str, Any], client: Client
    ) -> str:
        """Return the end of a message about an unknown key: similar keys.

        Numbers have no similar words, so if nothing has all words, the last one is dropped.
        """
        moment = {
            name: value for name, value in variables.items() if name in ("validAt", "position")
        }
        words = re.findall(r"\w+", error.key)
        for part in (words, words[:-1]):
            if not part:
                continue
            sought = {**moment, "text": " ".join(part), "kinds": error.kinds or None}
            try:
                query = QueryRequest(near_document(), sought, "AssistantNear", client.caller)
                data = data_of(await self._execute(tool, query, client))
            except TrackerError:
                return ""  # the main error is the unknown key
            if names := [node["entity"] for node in data["asOf"]["search"]["nodes"]]:
                return f"; did you mean {' or '.join(nearest(error.key, names))}?"
        return ""


def data_of(answer: Answer) -> Mapping[str, Any]:
    """Return the data of a response."""
    data: Mapping[str, Any] = orjson.loads(answer.data)
    return data


def nearest(key: str, entities: list[str]) -> list[str]:
    """Return the names of entities most similar to a key, at most three."""
    names = {entity.partition("/")[2]: entity for entity in entities}
    return [names[name] for name in get_close_matches(key, names, n=3, cutoff=0)]


@cache
def near_document() -> str:
    """Return the query for similar names."""
    return files(__package__).joinpath("near.graphql").read_text("utf-8")


def at_argument(tool: Tool[Any], error: TrackerError) -> TrackerError:
    """Return an error about a variable of a document, at the argument with its value."""
    path = error.path[1:] if error.path[:1] == (INPUT,) else error.path
    if path:
        error.path = (tool.argument_of(str(path[0])), *path[1:])
    return error
