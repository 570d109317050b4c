"""Pages without a moment, which do not read the log: documents, forms, sign-in."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from schema.base.errors import tracker_error
from schema.execution.work_slots import WorkSlots
from schema.http.authentication import AccessControl, Client
from schema.http.cross_site import READING, sign_in_address
from schema.http.limits import PushPriority
from schema.http.messages import SHORTER, observe
from schema.pages.site.address import Address
from schema.pages.site.html import problem_response, see_other
from schema.telemetry.observer import Observer
from schema.telemetry.operation import current_operation
from tracker.errors import InvalidInput, Unauthenticated

Answer: TypeAlias = Callable[[Request, Client], Awaitable[Response]]
MAX_QUERY_CHARACTERS = 2000


class PlainPages:
    """Handler of these pages, with the limits, metrics and log lines of all others.

    A client reads one of them at a time: rendering takes milliseconds of the event loop.
    """

    def __init__(self, access_control: AccessControl, observer: Observer, pacing: PushPriority):
        self._access_control = access_control
        self._observer = observer
        self._pacing = pacing
        self._turns = WorkSlots(1)

    def route(self, path: str, answer: Answer, methods: Sequence[str] = ("GET",)) -> Route:
        """Return the route of a page.

        `answer` handles all callers, also those without the right to read. Its errors are shown as pages,
        or lead to the sign-in page if that helps.
        """

        async def respond(request: Request) -> Response:
            answering = self._respond(answer, request)
            return await observe(self._observer, self._pacing, "page", request, answering)

        return Route(path, respond, methods=list(methods), middleware=[SHORTER])

    async def _respond(self, answer: Answer, request: Request) -> Response:
        try:
            client = await self._access_control.admit(request)
            current_operation().actor = client.caller.name
            reads = request.method in READING  # a body can take long
            async with self._turns.hold(client.key if reads else str(id(request))):
                response = await answer(request, client)
            current_operation().outcome = "ok"
            return response
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            if isinstance(error, Unauthenticated) and may_sign_in(request):
                return sign_in_first(request)
            problem = tracker_error(error)
        current_operation().note_error(problem.code)
        async with self._turns.hold(current_operation().client):
            return problem_response(problem, Address(request.url.path))


def may_sign_in(request: Request) -> bool:
    """Return whether the sign-in page helps a refused caller.

    It helps a person with a browser, not a program that sent a token, and not a form that would be lost.
    """
    return request.method in READING and "authorization" not in request.headers


def sign_in_first(request: Request) -> Response:
    """Redirect to the sign-in page, which returns afterwards."""
    current_operation().note_error("UNAUTHENTICATED")
    return see_other(sign_in_address(request))


def query_parameters(request: Request, names: Collection[str]) -> dict[str, str]:
    """Return the parameters of an address, each given once. Raises InvalidInput for others."""
    parameters: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in names or name in parameters or len(value) > MAX_QUERY_CHARACTERS:
            expected = ", ".join(names) or "no parameter"
            raise InvalidInput(
                f"expected {expected}, at most once and of at most {MAX_QUERY_CHARACTERS} letters",
                code="BAD_REQUEST",
                path=(name[:50],),
            )
        parameters[name] = value
    return parameters
