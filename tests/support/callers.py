"""Documents as callers with rights of their own ask them."""

from __future__ import annotations

from typing import Any

from schema.execution.execute import execute
from schema.services import Access, Services
from tracker.auth.scopes import Caller


class ApiOfCallers:
    """The API, asked by one caller or another; nobody is None."""

    def __init__(self, services: Services):
        self.services = services

    async def answer(
        self, caller: Caller | None, document: str, **variables: Any
    ) -> dict[str, Any]:
        """The answer to a document, with its errors."""
        return await execute(self.services, document, variables, Access(), caller=caller)

    async def ask(self, caller: Caller, document: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.answer(caller, document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refusal(
        self, caller: Caller | None, document: str, **variables: Any
    ) -> tuple[Any, Any]:
        """The code and the path of the one error."""
        [error] = (await self.answer(caller, document, **variables))["errors"]
        return error["extensions"]["code"], error["extensions"].get("path")
