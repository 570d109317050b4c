"""Queries of callers with different rights."""

from typing import Any

from schema.execution.execute import execute
from schema.services import Access, Services
from tracker.auth.scopes import Caller


class ApiOfCallers:
    """The API for several callers; None is anonymous."""

    def __init__(self, services: Services):
        self.services = services

    async def answer(
        self, caller: Caller | None, document: str, **variables: Any
    ) -> dict[str, Any]:
        """Return the response to a document, with its errors."""
        return await execute(self.services, document, variables, Access(), caller=caller)

    async def ask(self, caller: Caller, document: str, **variables: Any) -> Any:
        """Return the data of a response, which must have no errors."""
        answer = await self.answer(caller, document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refusal(
        self, caller: Caller | None, document: str, **variables: Any
    ) -> tuple[Any, Any]:
        """Return code and path of the only error."""
        [error] = (await self.answer(caller, document, **variables))["errors"]
        return error["extensions"]["code"], error["extensions"].get("path")
