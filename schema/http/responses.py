"""Answers that are not GraphQL: JSON, and errors with the codes that GraphQL has."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import Response

from schema.base.errors import DATABASE_ERRORS, plain_error
from tracker.errors import RateLimited, TrackerError, Unavailable

Answering: TypeAlias = Callable[[Request], Awaitable[Response]]
Header: TypeAlias = tuple[bytes, bytes]

STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "UNKNOWN_ORIGIN": 403,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "RATE_LIMITED": 429,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "REDACTED": 410,
    "TOO_LARGE": 413,
    "TIMEOUT": 503,
    "TOO_MANY_OPERATIONS": 429,
    "UNAVAILABLE": 503,
    "LOG_SET_BACK": 503,
    "LOG_DIVERGED": 409,
    "READ_ONLY": 503,
    "POSITION_NOT_REACHED": 503,
    "NOT_PROVEN": 503,
    "ALTERED_SNAPSHOT": 503,
    "SNAPSHOT_FILE": 503,
    "SNAPSHOT_GONE": 503,
    "ASSISTANTS_NOT_INSTALLED": 501,
    "FORMAT_NOT_INSTALLED": 501,
    "INTERNAL": 500,
}

logger = logging.getLogger(__name__)


def json_response(answer: Any, status: int = 200, **headers: str) -> Response:
    """An answer as JSON, with headers named as Python can (`Cache_Control`)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(orjson.dumps(answer), status, named, "application/json; charset=utf-8")


def errors_as_json(answer: Callable[[Any, Request], Awaitable[Response]]) -> Any:
    """Turn what a method that answers raises into an error as GraphQL has them."""

    @functools.wraps(answer)
    async def answering(self: Any, request: Request) -> Response:
        return await _answered(answer(self, request))

    return answering


def function_errors_as_json(answer: Answering) -> Answering:
    """The same of a function that answers."""

    @functools.wraps(answer)
    async def answering(request: Request) -> Response:
        return await _answered(answer(request))

    return answering


async def _answered(answer: Awaitable[Response]) -> Response:
    try:
        return await answer
    except TrackerError as error:
        refused = error
    except DATABASE_ERRORS as error:
        logger.warning("the database does not answer: %s", error)
        refused = Unavailable("The database does not answer; try again")
    return error_response(refused)


def has_tag(given: str, tag: str) -> bool:
    """Whether a client has the content of a tag, by its If-None-Match (RFC 9110, 13.1.2)."""
    return given.strip() == "*" or tag in given


def error_response(error: TrackerError) -> Response:
    """An error as JSON, as GraphQL has them."""
    problem = plain_error(error.code, error.message, error.path)
    return json_response(
        problem, STATUS.get(error.code, 400), Cache_Control="no-store", **advice(error)
    )


def advice(error: TrackerError) -> dict[str, str]:
    """What headers say of an error."""
    if isinstance(error, RateLimited):
        return {"Retry-After": str(math.ceil(error.seconds))}
    return {"WWW-Authenticate": "Bearer"} if error.code == "UNAUTHENTICATED" else {}
