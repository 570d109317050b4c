"""Errors of input name the expected type in words."""

from typing import Annotated

import msgspec
import pytest

from tests.support.cases import each_case
from tracker.domain.basics.codec import from_builtins
from tracker.errors import InvalidInput


class Form(msgspec.Struct):
    """Fields of some types."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=3)] = "a"
    year: int | None = None
    parts: Annotated[list[bool], msgspec.Meta(max_length=1)] = []


@each_case(
    ("fields", "message", "code"),
    [
        ({"name": ""}, "expected at least 1 character", "INVALID_INPUT"),
        ({"name": "abcd"}, "expected at most 3 characters", "TOO_LARGE"),
        ({"parts": [True, True]}, "expected at most 1 item", "TOO_LARGE"),
        ({"parts": "x"}, "expected a list, got a text", "INVALID_INPUT"),
        ({"year": "x"}, "expected a whole number or null, got a text", "INVALID_INPUT"),
        ({"parts": [1]}, "expected true or false, got a whole number", "INVALID_INPUT"),
    ],
)
def test_an_error_names_the_expected_type_in_words(
    fields: dict[str, object], message: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_builtins(Form, fields)
    assert (refused.value.message, refused.value.code) == (message, code)
