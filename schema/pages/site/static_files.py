"""The style sheet and the scripts of pages, at addresses that change with their content."""

import gzip
import hashlib
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from schema.http.messages import function_errors_as_json, takes_gzip
from tracker.errors import NotFound

MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def static_files() -> dict[str, bytes]:
    """Return all files by their names."""
    paths = files("schema.pages.site").joinpath("static").iterdir()
    return {file.name: file.read_bytes() for file in sorted(paths, key=lambda each: each.name)}


@cache
def edition() -> str:
    """Return a digest of all files.

    Scripts name each other by relative paths, so all have the same edition.
    """
    content = b"\0".join(name.encode() + b"\0" + text for name, text in static_files().items())
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def static_path(name: str) -> str:
    """Return the path of a file. Raises KeyError without one."""
    static_files()[name]
    return f"/static/{edition()}/{name}"


@cache
def _gzipped(name: str) -> bytes:
    return gzip.compress(static_files()[name], 9, mtime=0)


@function_errors_as_json
async def static_file(request: Request) -> Response:
    """Return a file. Only the present edition may be cached."""
    name, requested = request.path_params["name"], request.path_params["edition"]
    content = static_files().get(name)
    if content is None:
        raise NotFound(f"{name[:50]!r} is not a file of the pages", path=("name",))
    headers = {
        "Cache-Control": FOR_EVER if requested == edition() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if takes_gzip(request.headers.get("accept-encoding", "")):
        content, headers["Content-Encoding"] = _gzipped(name), "gzip"
    return Response(content, headers=headers, media_type=MEDIA_TYPES[name.rpartition(".")[2]])
