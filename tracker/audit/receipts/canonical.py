"""Canonical JSON (RFC 8785): the bytes that receipts sign and hash. Pure."""

from typing import Any

import msgspec
import orjson
import rfc8785

from tracker.errors import InvalidInput


def canonical_json(value: Any) -> bytes:
    """Return a value as canonical JSON. Raises InvalidInput for a value that has none."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise _refused(
            str(error) if isinstance(error, ValueError) else "it is nested too deep"
        ) from None


def canonical_plain(value: Any) -> bytes:
    """Return a value as `canonical_json` does, in a thirtieth of the time.

    Its member names are ASCII, its numbers are integers below 2^53. Other parts of it are an
    `orjson.Fragment` of canonical JSON. Raises InvalidInput for text that is not Unicode.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise _refused(str(error)) from None


def canonical_answer(data: bytes) -> bytes:
    """Return the data of a response, which are valid JSON, as canonical JSON.

    Member names of responses are ASCII, and integers are below 2^53.
    """
    return canonical_plain(_ANSWER.decode(data))


def _refused(reason: str) -> InvalidInput:
    return InvalidInput(
        f"expected a value with a canonical form in JSON (RFC 8785): {reason}", code="NOT_CANONICAL"
    )


def _fraction(number: str) -> orjson.Fragment:
    return orjson.Fragment(rfc8785.dumps(float(number)))


_ANSWER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=_fraction)
