"""Messages in the schemas of `/asyncapi.json`."""

from collections.abc import Mapping
from typing import Any

from tests.support.libraries import jsonschema


class Described:
    """A description that real messages are validated against."""

    def __init__(self, description: dict[str, Any]):
        self.description = description

    def check(self, message: str, payload: Any, headers: Mapping[str, str] | None = None) -> None:
        """Validate a message. Raises jsonschema's ValidationError."""
        described = self.description["components"]["messages"][message]
        self._check(described.get("payload", {}), payload)
        if headers is not None:
            self._check(described["headers"], dict(headers))

    def _check(self, schema: dict[str, Any], instance: Any) -> None:
        whole = {**schema, "components": self.description["components"]}
        if "$ref" in schema:  # in draft 07 the siblings of a reference are ignored
            whole = {"allOf": [schema], "components": self.description["components"]}
        jsonschema.Draft7Validator(whole).validate(instance)
