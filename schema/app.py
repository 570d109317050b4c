"""The web application: GraphQL, a page for people, and what operators ask."""

from __future__ import annotations

import asyncio
import html
import logging
from pathlib import Path
from string import Template
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from schema.context import Access, Services
from schema.graph import GRAPH
from schema.view import PAGE_POLICY, View
from schema.websocket import Socket
from tracker.errors import TrackerError
from tracker.log.database import LOST

HOME = Template(Path(__file__).with_name("home.html").read_text(encoding="utf-8"))
MOST_LAG = 1000
"""So many events may wait for the projection before this instance counts as not ready."""
PATIENCE = 3
"""Seconds that the database gets to answer the question whether we are ready."""

EXAMPLES = {
    "What China controls for gallium, and what of it is suspended": """{
  asOf(validAt: "2025-11-20") {
    position
    exportControls(issuer: "CN", commodity: "gallium") {
      totalCount
      nodes { key title clauses { key measure status suspendedUntil destinations { name } } }
    }
  }
}""",
    "Who mined the rare earths of 2023, and how concentrated that is": """{
  asOf {
    production(commodity: "rare_earths", year: 2023) {
      world { value unit publisher edition }
      concentration { hhi topThreeShare topThree { name } }
      figures { place { name } value unit share noShareBecause claims { publisher edition value } }
    }
  }
}""",
    "Who was in the Minerals Security Partnership before and after June 2023": """{
  before: asOf(validAt: "2023-06-01") { alliance(id: "msp") { ...who } }
  after: asOf(validAt: "2023-07-01") { alliance(id: "msp") { ...who } }
}
fragment who on Alliance { name members { place { name } since } }""",
    "How the log begins": "{ head events(first: 5) { nodes { position type entity } } }",
}

logger = logging.getLogger(__name__)


def create_app(services: Services, access: Access) -> Starlette:
    """The application on a running tracker."""
    pages = Pages(services)
    return Starlette(routes=[
        Route("/", pages.home),
        Route("/graphql", View(services, access).respond, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", Socket(services, access)),
        Route("/schema.graphql", pages.sdl),
        Route("/healthz", pages.healthz),
        Route("/readyz", pages.readyz),
    ])


class Pages:
    """What is not GraphQL."""

    def __init__(self, services: Services):
        self._services = services

    async def home(self, request: Request) -> Response:
        """A page for people, with queries to begin with."""
        links = "\n".join(
            f'<li><a href="graphql?query={quote(query)}">{html.escape(about)}</a></li>'
            for about, query in EXAMPLES.items())
        head = await self._services.recorder.head()
        page = HOME.substitute(events=f"{head:,}", examples=links)
        return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_POLICY})

    async def sdl(self, request: Request) -> Response:
        """The schema, in the language of schemas."""
        return PlainTextResponse(GRAPH.as_str() + "\n")

    async def healthz(self, request: Request) -> Response:
        """Whether this process answers at all."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """Whether the database answers and the projection is not far behind."""
        try:
            async with asyncio.timeout(PATIENCE):
                position = await self._services.projector.position()
                head = await self._services.recorder.head()
        except (*LOST, TimeoutError, TrackerError) as error:
            logger.warning("not ready: %s", error)
            return JSONResponse({"ready": False, "reason": "the database does not answer"}, 503)
        lag = max(head - position, 0)
        ready = lag <= MOST_LAG
        answer = {"ready": ready, "head": head, "position": position, "lag": lag}
        return JSONResponse(answer, 200 if ready else 503)
