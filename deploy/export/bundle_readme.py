"""The unsigned files of a bundle beside the log: the key, a readme, JSON Schemas."""

import json
from pathlib import Path
from typing import Any

from schema.routes.json_schemas import json_schema, present_number
from tracker.audit.format.layout import KEY
from tracker.audit.verify.trust import TrustPolicy
from tracker.domain.events.registry import FACTS

README = Path(__file__).with_suffix(".txt").read_text("utf-8")


def bundle_extras(trust: TrustPolicy) -> dict[str, bytes]:
    """Return files by their path in the bundle."""
    schemas = {
        f"schemas/{type_}.json": _pretty(json_schema(type_, present_number(type_)))
        for type_ in FACTS
    }
    return {
        KEY: "".join(f"{key}\n" for key in trust.keys).encode(),
        "README.md": README.encode(),
        **schemas,
    }


def _pretty(schema: dict[str, Any]) -> bytes:
    return json.dumps(schema, indent=2).encode() + b"\n"
