"""What is read of requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.requests import Request

from tracker.errors import InvalidInput, TooLarge

MAX_CACHED_HEADERS = 256
"""Values of a header of which it is remembered what they ask for: most clients send the same."""
MAX_CACHED_CHARACTERS = 300


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The first header of a name; empty where there is none."""
    for named, value in headers:
        if named == name:
            return value.decode("latin-1")
    return ""


def check_parameters(request: Request, known: Sequence[str], lists: Sequence[str] = ()) -> None:
    """Refuse an address with a parameter that is none, or with several of one that is no list.
    Raises InvalidInput."""
    for name in request.query_params:
        if name not in known:
            one_of = "one of " if len(known) > 1 else ""
            raise InvalidInput(
                f"{name[:50]!r} is no parameter: expected {one_of}{', '.join(known)}",
                code="BAD_REQUEST",
                path=(name[:50],),
            )
        if name not in lists and len(request.query_params.getlist(name)) > 1:
            raise InvalidInput("expected one value", code="BAD_REQUEST", path=(name,))


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The body, read no further than the limit. Raises TooLarge, and ClientDisconnect."""
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise TooLarge(f"expected a body of at most {max_bytes} bytes")
    return b"".join(pieces)
