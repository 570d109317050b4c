"""Messages as `/asyncapi.json` describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft7Validator  # type: ignore[import-untyped]


class Described:
    """A description; messages that were really sent are held to it."""

    def __init__(self, description: dict[str, Any]):
        self.description = description

    def check(self, message: str, payload: Any, headers: Mapping[str, str] | None = None) -> None:
        """Hold a message to its schemas. Raises jsonschema's ValidationError."""
        described = self.description["components"]["messages"][message]
        self._check(described.get("payload", {}), payload)
        if headers is not None:
            self._check(described["headers"], dict(headers))

    def _check(self, schema: dict[str, Any], instance: Any) -> None:
        whole = {**schema, "components": self.description["components"]}
        if "$ref" in schema:  # what stands beside a reference counts for nothing in draft 07
            whole = {"allOf": [schema], "components": self.description["components"]}
        Draft7Validator(whole).validate(instance)
