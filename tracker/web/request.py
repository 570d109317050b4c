"""Requests for documents of other servers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A document to fetch. With `body` it is a POST.

    `etag` and `last_modified` belong to the known content, which came from `known_url`. With `beginning_only`
    the first `max_bytes` are sufficient.
    """

    url: str
    accept: str = "*/*"
    body: bytes | None = None
    content_type: str | None = None
    max_bytes: int = 64_000_000
    pause_seconds: float = 1.0
    etag: str | None = None
    last_modified: str | None = None
    known_url: str | None = None
    beginning_only: bool = False


def request_headers(request: WebRequest) -> dict[str, str]:
    headers = {"accept": request.accept}
    if request.content_type:
        headers["content-type"] = request.content_type
    if request.body is None and request.known_url == request.url:
        if request.etag:
            headers["if-none-match"] = request.etag
        if request.last_modified:
            headers["if-modified-since"] = request.last_modified
    return headers
