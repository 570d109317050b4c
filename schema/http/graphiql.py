"""The page for GraphQL queries: GraphiQL if it is installed, else a simple page.

GraphiQL's files come from the package `graphene-django-graphiql-static` (the extra `graphiql`), whose
other parts are not used. Nothing is loaded from other sites.
"""

import base64
import hashlib
import importlib.util
import re
from functools import cache
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from schema.http.messages import function_errors_as_json
from tracker.domain.basics.toml_files import read_toml
from tracker.errors import NotFound

PACKAGE = "graphene_django_graphiql_static"
ASSETS = (
    "react.production.min.js",
    "react-dom.production.min.js",
    "graphiql.min.js",
    "graphql-ws.min.js",
    "graphiql.min.css",
)
A_DAY = "public, max-age=86400"
FLOOR = Path(__file__).parents[1]
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)

EXAMPLES: dict[str, str] = read_toml(__file__)


def query_page() -> Response:
    """Return the page for queries."""
    page = page_text(graphiql() is not None)
    return HTMLResponse(page, headers={"Content-Security-Policy": policy(page), "Vary": "Accept"})


@cache
def graphiql() -> Path | None:
    """Return the directory of GraphiQL's files; None if they are not all installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    directory = Path(spec.origin).parent / "static" / PACKAGE
    return directory if all((directory / name).is_file() for name in ASSETS) else None


@function_errors_as_json
async def asset(request: Request) -> Response:
    """Return a file of GraphiQL."""
    name, directory = request.path_params["name"], graphiql()
    if directory is None or name not in ASSETS:
        raise NotFound("expected a file of GraphiQL, where that is installed", path=("name",))
    return FileResponse(directory / name, headers={"Cache-Control": A_DAY})


@cache
def page_text(with_graphiql: bool) -> str:
    """Return the page with the examples."""
    name = "graphiql.html" if with_graphiql else "page.html"
    examples = orjson.dumps(EXAMPLES).decode().replace("<", "\\u003c")
    return (FLOOR / name).read_text(encoding="utf-8").replace("{examples}", examples)


@cache
def policy(page: str) -> str:
    """Return a Content-Security-Policy that allows only the page's own scripts and files of this server.

    Inline styles are allowed, because GraphiQL measures text with them.
    """
    hashes = "".join(f" 'sha256-{_sha256(script)}'" for script in INLINE.findall(page))
    return (
        f"default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline';"
        " img-src data:; font-src data:; connect-src 'self'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
