"""The JSON Schema of a line of the corpus format, from the facts of the domain."""

import json
from inspect import cleandoc
from typing import Any

import msgspec

from tracker.domain.basics.duration import Duration
from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import PartialDate, TextCommitment
from tracker.domain.catalogue.commodities import Commodity, commodities
from tracker.domain.catalogue.places import Actor, Place, places
from tracker.domain.entities.fact import Source
from tracker.domain.entities.redaction import Redacted
from tracker.domain.events.registry import FACTS
from tracker.domain.evidence.import_receipt import Receipt
from tracker.domain.evidence.watched_source_facts import SourceFact

SCHEMAS_OF_WORDS: dict[type, dict[str, Any]] = {
    PartialDate: {
        "type": "string",
        "pattern": r"^\d{4}(-\d{2}(-\d{2})?)?$",
        "description": "YYYY, YYYY-MM or YYYY-MM-DD",
    },
    Duration: {
        "type": "string",
        "pattern": r"^P(?=\d)(\d{1,3}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,5}D)?$",
        "description": "A length of time in ISO 8601, such as P90D or P1Y",
    },
    Commodity: {"type": "string", "enum": [str(id) for id in commodities()]},
    Place: {"type": "string", "enum": [str(code) for code in places()]},
    Actor: {"type": "string", "description": "A place (US) or a founded alliance (quad)"},
    Unit: {"type": "string", "description": "t, kt, percent, … or a currency code"},
}
COMMITTED = TextCommitment.__name__


def corpus_schema() -> str:
    """Return the schema as text; it is deterministic."""
    kinds = {
        type_: fact
        for type_, fact in sorted(FACTS.items())
        if fact not in (Receipt, Redacted) and not issubclass(fact, SourceFact)
    }
    names = list(dict.fromkeys(kinds.values()))
    refs, components = msgspec.json.schema_components(
        names, schema_hook=SCHEMAS_OF_WORDS.__getitem__
    )
    for written_by_reviews in ("reviewedBy", "snapshot"):
        components[Source.__name__]["properties"].pop(written_by_reviews)
    where = dict(zip(names, refs, strict=True))
    return json.dumps(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "A line of the corpus format: one fact to be recorded",
            "type": "object",
            "properties": {
                "id": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 200,
                    "description": "The event id: a line counts once, however often imported",
                },
                "type": {"enum": list(kinds), "description": "The event type"},
                "entity": {
                    "type": "string",
                    "maxLength": 300,
                    "description": "The entity of the fact, such as alliance/quad; figures have it"
                    " in their series",
                },
                "data": {"type": "object", "description": "The fact"},
            },
            "required": ["id", "type", "data"],
            "additionalProperties": False,
            "allOf": [
                {
                    "if": {"properties": {"type": {"const": type_}}},
                    "then": {"properties": {"data": where[fact]}},
                }
                for type_, fact in kinds.items()
            ],
            "$defs": with_plain_texts(without_indents(components)),
        },
        indent=1,
        ensure_ascii=False,
    )


def without_indents(part: Any) -> Any:
    """Return the schemas with unindented docstrings: Python before 3.13 keeps the indentation."""
    match part:
        case dict():
            return {
                name: cleandoc(item)
                if name == "description" and isinstance(item, str)
                else without_indents(item)
                for name, item in part.items()
            }
        case list():
            return [without_indents(item) for item in part]
    return part


def with_plain_texts(components: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of facts for input: with texts, which only the log stores in annexes."""
    return {name: _with_plain_text(part) for name, part in components.items() if name != COMMITTED}


def _with_plain_text(part: Any) -> Any:
    match part:
        case {"anyOf": [*kinds]}:
            return {
                **part,
                "anyOf": [
                    _with_plain_text(kind) for kind in kinds if not is_commitment_schema(kind)
                ],
            }
        case dict():
            return {name: _with_plain_text(item) for name, item in part.items()}
        case list():
            return [_with_plain_text(item) for item in part]
    return part


def is_commitment_schema(schema: Any) -> bool:
    """Return whether a schema is that of a commitment."""
    return isinstance(schema, dict) and str(schema.get("$ref", "")).endswith(f"/{COMMITTED}")
