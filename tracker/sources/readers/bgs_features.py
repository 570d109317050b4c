"""Features of BGS World Mineral Statistics from its API, in JSON (OGC API Features).

The fields have the names of the CSV (`bgs_commodity_trans`) by default. Two public clients of the API request
them by other names, without the publisher's prefixes (`commodity`). Both are accepted, and a response with
neither is rejected.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tracker.domain.basics.toml_files import read_toml
from tracker.errors import InvalidInput

DECLARED: Mapping[str, Any] = read_toml(__file__)
NAMES = {field: tuple(names) for field, names in DECLARED["names"].items()}
"""The fields that are read, each with its possible names."""
NEEDED = (
    *("bgs_commodity_trans", "bgs_statistic_type_trans", "country_trans", "country_iso3_code"),
    *("year", "quantity", "units"),
)
WHOLE = re.compile(r"(-?[0-9]+)\.0+")
MARKS = (b'"FeatureCollection"', b'"quantity"')


def is_collection(head: bytes) -> bool:
    """Return whether a file begins like a page of features with quantities."""
    return head.lstrip().startswith(b"{") and all(mark in head for mark in MARKS)


def read_features(content: bytes) -> list[dict[str, str]]:
    """Return the properties of each feature as text, by the names of the CSV.

    Raises InvalidInput for a file that is not a page of features, or lacks the required fields.
    """
    features = _features(content)
    return [_properties(feature, number) for number, feature in enumerate(features)]


def _features(content: bytes) -> list[Any]:
    try:
        page = json.loads(content, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"expected JSON: {error}", code="UNREADABLE_FILE") from None
    features = page.get("features") if isinstance(page, dict) else None
    if not isinstance(features, list):
        raise InvalidInput("expected a collection with features", code="UNREADABLE_FILE")
    return features


def _properties(feature: Any, number: int) -> dict[str, str]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, Mapping):
        raise InvalidInput("expected an object", code="UNREADABLE_FILE", path=("features", number))
    fields = {
        field: next((_text(properties[name]) for name in names if name in properties), None)
        for field, names in NAMES.items()
    }
    if missing := [field for field in NEEDED if fields[field] is None]:
        raise InvalidInput(
            f"expected the fields {', '.join(missing)}, got {', '.join(map(str, properties))[:500]}",
            code="UNREADABLE_FILE",
            path=("features", number, "properties"),
        )
    return {field: text for field, text in fields.items() if text is not None}


def _text(value: Any) -> str:
    """Return a value in the format of the CSV: whole numbers without a point, empty for null."""
    if value is None:
        return ""
    text = " ".join(str(value).split())
    whole = WHOLE.fullmatch(text)
    return whole[1] if whole else text
