"""The web application: GraphQL, web pages, and routes for operators."""

from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from projections.lru_cache import SizedLruCache
from schema.assistants.route import AssistantRoute
from schema.execution.persisted_documents import PersistedQueries, TrustedDocuments
from schema.execution.plans.operation_plans import PLAN_FAILURES
from schema.execution.response_cache import MAX_CACHE_BYTES, ResponseCache
from schema.execution.schema import SCHEMA
from schema.http.authentication import AccessControl
from schema.http.cross_site import Cors, TrustedHosts, VaryByToken
from schema.http.graphiql import asset
from schema.http.graphql_http import GraphQLEndpoint
from schema.http.graphql_ws import GraphQLWebSocket
from schema.http.limits import PushPriority
from schema.http.messages import SHORTER, Answering, function_errors_as_json
from schema.http.receipt_files import ReceiptFiles
from schema.http.rendered import fixed_response
from schema.http.shared_subscriptions import SharedSubscriptions
from schema.http.streaming import AnswersInParts, Ends, GraphQLStreams
from schema.metadata.route import MetadataRoute
from schema.metadata.sitemap import sort_paths
from schema.pages.alerts.route import AlertRoute
from schema.pages.docs import docs
from schema.pages.embed.route import EmbedRoute
from schema.pages.endpoints.route import EndpointRoute
from schema.pages.record.route import RecordRoute
from schema.pages.registry import PAGES, for_browsers, page_routes
from schema.pages.review.route import ReviewRoute
from schema.pages.sign_in.sign_in import SignIn
from schema.pages.site.address import PATHS
from schema.pages.site.html import method_not_allowed, not_found
from schema.pages.site.plain import PlainPages
from schema.pages.site.route import PageRoute
from schema.pages.tables.tables import PATH as TABLES_PATH
from schema.pages.tables.tables import TablesPage
from schema.receipts.issuer import ReceiptIssuer
from schema.receipts.timestamps import TimestampAuthority
from schema.routes.annexes import AnnexRoute
from schema.routes.asyncapi import answer_pushes
from schema.routes.events import EventRoute
from schema.routes.health import HealthRoute
from schema.routes.json_schemas import JsonSchemaRoute
from schema.routes.shipments import ShipmentRoute
from schema.routes.snapshots import SnapshotRoute
from schema.routes.tables import TableRoute
from schema.routes.transparency_log import TransparencyLogRoute
from schema.services import Access, Services
from schema.telemetry.metrics import Metrics
from schema.telemetry.observer import Observer
from schema.telemetry.operation import Tracing
from tracker.errors import Forbidden

PAGE_PATHS = sort_paths((*(page.path for page in PAGES), TABLES_PATH), PATHS)
"""The paths of pages for search engines."""


def create_app(
    services: Services,
    access: Access,
    tracing: Tracing | None = None,
    answers_bytes: int = MAX_CACHE_BYTES,
    trusted: TrustedDocuments | None = None,
    authority: TimestampAuthority | None = None,
) -> Starlette:
    """Return the application on a running tracker, with spans from `tracing`, a cache of responses of
    `answers_bytes`, the `trusted` documents, and an `authority` that timestamps receipts."""
    mails = services.writing.alerts is not None
    access_control = AccessControl(
        services.tokens, access, read_only=services.read_only, alerts=mails, mirror=services.mirror
    )
    metrics, ends, pacing = Metrics(services), Ends(access_control), PushPriority()
    observer = Observer(metrics, tracing)
    subscriptions = SharedSubscriptions(services, access_control, pacing)
    answers = ResponseCache(services, access, answers_bytes)
    persisted = PersistedQueries(trusted=trusted)
    issuer = ReceiptIssuer(services, access, authority)
    receipts = ReceiptFiles(access_control, issuer)
    tables = TableRoute(services, access, access_control, receipts)
    events = EventRoute(services, access_control, ends, pacing)
    people = PageRoute(services, access_control, answers, tables, receipts, observer, pacing)
    embeds = EmbedRoute(access_control, answers, observer, pacing)
    plain = PlainPages(access_control, observer, pacing)
    metrics.watch_caches(_caches(services, answers, persisted, people, embeds))
    metrics.registry.register(PLAN_FAILURES)
    streams = GraphQLStreams(services, access_control, ends, subscriptions)
    parts = AnswersInParts(services, access_control)
    assistants = AssistantRoute(access_control, answers, receipts, observer, pacing)
    graphql = GraphQLEndpoint(
        access_control, answers, issuer, persisted, streams, parts, observer, pacing
    )
    app = Starlette(
        routes=[
            Route("/graphql", graphql.respond, methods=["GET", "POST"]),
            Route("/mcp", assistants.respond, methods=["POST"]),
            Route("/mcp/{tool}.receipt", assistants.receipt),
            *tables.routes,
            *page_routes(people, {"/events": events.respond}),
            *embeds.routes,
            *_other_pages(services, access, access_control, answers, plain, tables),
            *ShipmentRoute(services, access_control).routes,
            Route("/annexes", AnnexRoute(services, access_control).respond),
            *SnapshotRoute(services, access_control).routes,
            *TransparencyLogRoute(services, access_control, ends).routes,
            Route("/graphiql/{name}", asset, middleware=[SHORTER]),
            *_schema_routes(access_control, access, metrics),
            WebSocketRoute(
                "/graphql",
                GraphQLWebSocket(services, access_control, subscriptions, observer, persisted),
            ),
            *HealthRoute(services).routes,
        ],
        middleware=outer_middleware(access),
        exception_handlers={404: not_found, 405: method_not_allowed},
    )
    app.state.end_streams = ends.stop
    return app


def _caches(
    services: Services,
    answers: ResponseCache,
    persisted: PersistedQueries,
    people: PageRoute,
    embeds: EmbedRoute,
) -> dict[str, SizedLruCache[Any, Any]]:
    """Return the caches whose usage is measured, by name."""
    return {
        "answers": answers.kept,
        "documents": persisted.documents,
        "embeds": embeds.rendered,
        "pages": people.rendered,
        "states": services.as_of.lists.states.kept,
    }


def _other_pages(
    services: Services,
    access: Access,
    access_control: AccessControl,
    answers: ResponseCache,
    plain: PlainPages,
    tables: TableRoute,
) -> list[Route]:
    """Return the routes of forms, metadata, the list of tables and the documentation."""
    forms = [
        *RecordRoute(access_control, answers).routes(plain),
        *AlertRoute(services, access_control, answers).routes(plain),
        *EndpointRoute(access_control, answers).routes(plain),
        *ReviewRoute(services, access_control, answers).routes(plain),
        *SignIn(access_control).routes(plain),
    ]
    metadata = MetadataRoute(services, access, access_control, PAGE_PATHS, first_parts(forms))
    list_of_tables = plain.route(TABLES_PATH, TablesPage(metadata.site).respond)
    return [
        *forms,
        *metadata.routes,
        # a page for browsers, JSON for programs
        Route(
            TABLES_PATH, for_browsers(list_of_tables.endpoint, tables.index), middleware=[SHORTER]
        ),
        *docs.routes(plain, with_types=access.introspection),
    ]


def first_parts(routes: Iterable[Route]) -> list[str]:
    """Return the first parts of the paths of routes, each once."""
    return [*dict.fromkeys(f"/{route.path.split('/')[1]}" for route in routes)]


def _schema_routes(access_control: AccessControl, access: Access, metrics: Metrics) -> list[Route]:
    """Return the routes of schemas and metrics, which require the right to read."""
    schemas = JsonSchemaRoute()
    return [
        Route(path, require_reader(access_control, answer), middleware=[SHORTER])
        for path, answer in (
            ("/schemas", schemas.index),
            ("/schemas/{type}", schemas.one),
            ("/schemas/{type}/{number:int}", schemas.one),
            ("/schema.graphql", answer_schema(access)),
            ("/asyncapi.json", answer_pushes),
            ("/metrics", metrics.respond),
        )
    ]


def outer_middleware(access: Access) -> list[Middleware]:
    """Return the middleware before every route: host check, CORS, and cache headers."""
    return [
        Middleware(TrustedHosts, hosts=access.hosts),
        Middleware(Cors, origins=access.origins),
        Middleware(VaryByToken, read_open=access.read_open),
    ]


def require_reader(access_control: AccessControl, answer: Answering) -> Answering:
    """Return the same route, restricted to callers who may read."""

    @function_errors_as_json
    async def answering(request: Request) -> Response:
        await access_control.authenticate_request(request)
        return await answer(request)

    return answering


def answer_schema(access: Access) -> Answering:
    """Return the route of the schema in SDL, for callers who may read it."""

    async def answering(request: Request) -> Response:
        if not access.introspection:
            raise Forbidden("this server does not return its schema: TRACKER_INTROSPECTION is off")
        return await fixed_response(request, sdl, "text/plain; charset=utf-8")

    return answering


def sdl() -> str:
    """Return the schema in SDL."""
    return SCHEMA.as_str() + "\n"
