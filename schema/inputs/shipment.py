"""The input of checks of shipments."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from schema.inputs.arguments import check_hs_code, key_of_name
from schema.inputs.input_types import check_text, input_type, to_plain_json
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.control_vocabulary import Covers, Form
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.shipments.shipment import Shipment
from tracker.errors import InvalidInput, TrackerError

SHIPMENT_INPUT = input_type(
    "ShipmentInput",
    Shipment,
    "A shipment. The goods are required, as a commodity, an HS code or both. A clause that depends on an"
    " omitted field applies only possibly.",
)
SHORT_NAMES = {
    "hs": "hsCode",
    "code_of": "codeOf",
    "from": "exportCountry",
    "export_country": "exportCountry",
    "to": "destination",
    "end_user": "endUser",
    "end_use": "endUse",
}
"""Other names of fields in addresses."""
WORDS: Mapping[str, type[StrEnum]] = {"form": Form, "covers": Covers}
"""Closed vocabularies of fields; documents have their words in capitals."""
NO_CONTENTS = "none"
"""The text of `contents` for goods without foreign content."""
KINDS = {
    "commodity": Commodity,
    **dict.fromkeys(("origin", "exportCountry", "destination", "codeOf"), Place),
}
"""Vocabularies whose words may be names, by field."""
PARTS_OF_CONTENT = ("commodity", "origin", "percent")
ANSWERS = {"yes": True, "no": False}
ShipmentArgument: TypeAlias = Annotated[
    SHIPMENT_INPUT,  # type: ignore[valid-type]  # known at run time only
    "The goods, the places and the parties, as far as they are known.",
]


def parse_shipment(input: Any) -> Shipment:
    """Parse the input of a check. Raises InvalidInput with the path of the field."""
    try:
        return to_shipment(to_plain_json(input))
    except TrackerError as error:
        raise error.below("input") from None


def to_shipment(data: dict[str, Any]) -> Shipment:
    """Return a shipment from plain JSON data. Raises InvalidInput with the path of the field."""
    named = _with_keys(data)
    if (contents := named.get("contents")) is not None:
        named["contents"] = [*map(_with_keys, contents)]
    if (code := named.get("hsCode")) is not None:
        named["hsCode"] = check_hs_code(code)
    return from_builtins(Shipment, named)


def _with_keys(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data with the keys of commodities and places that are named."""
    keyed = {name: _key(KINDS.get(name), value) for name, value in data.items()}
    return keyed | (
        {"route": [_key(Place, one) for one in data["route"]]} if data.get("route") else {}
    )


def _key(kind: Any, value: Any) -> Any:
    return key_of_name(kind, value) if kind and isinstance(value, str) else value


def shipment_of_texts(texts: Mapping[str, str | Sequence[str]]) -> Shipment:
    """Return a shipment from the texts of its fields, as in files and addresses.

    An item of `contents` is written `dysprosium:CN:0.2`, one of `answers` `QUESTION:yes`. Raises InvalidInput
    with the path of the field.
    """
    return to_shipment(data_of_texts(texts))


def data_of_texts(texts: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    """Return the plain JSON data of a shipment from texts; see `shipment_of_texts`."""
    data: dict[str, Any] = {**texts}
    for field, value in texts.items():
        for text in [value] if isinstance(value, str) else value:
            check_text(text, field)
    for name in WORDS.keys() & texts.keys():
        data[name] = _word(name, str(texts[name]).strip().lower())
    if "contents" in texts:
        items = [item for item in texts["contents"] if item.lower() != NO_CONTENTS]
        data["contents"] = [_content(number, item) for number, item in enumerate(items)]
    if "answers" in texts:
        data["answers"] = [_answer(number, item) for number, item in enumerate(texts["answers"])]
    return data


def _word(name: str, text: str) -> str:
    if text not in set(WORDS[name]):
        raise InvalidInput(
            f"{text[:50]!r}: expected one of {', '.join(WORDS[name])}",
            code=f"UNKNOWN_{name.upper()}",
            path=(name,),
        )
    return text


def _content(number: int, item: str) -> dict[str, str]:
    parts = [part.strip() for part in item.split(":")]
    if not 2 <= len(parts) <= len(PARTS_OF_CONTENT):
        raise InvalidInput(
            f"{item[:50]!r}: expected COMMODITY:ORIGIN:PERCENT, such as dysprosium:CN:0.2",
            code="INVALID_CONTENT",
            path=("contents", number),
        )
    return dict(zip(PARTS_OF_CONTENT, parts, strict=False))


def _answer(number: int, item: str) -> dict[str, Any]:
    question, _, word = (part.strip() for part in item.rpartition(":"))
    if word.lower() not in ANSWERS:
        raise InvalidInput(
            f"{item[:50]!r}: expected QUESTION:yes or QUESTION:no",
            code="INVALID_ANSWER",
            path=("answers", number),
        )
    return {"question": question, "yes": ANSWERS[word.lower()]}
