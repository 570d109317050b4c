"""`POST /shipments.csv`: a file of shipments, returned with the results of their checks, line by line.

The response is streamed: each line is sent when it is checked, so the lines received are the progress.
"""

from collections.abc import Mapping
from contextlib import ExitStack

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from projections.query.moment import Moment
from schema.base.scalars import Day, Instant, Position
from schema.execution.url_parameters import MOMENT
from schema.http.authentication import AccessControl
from schema.http.messages import check_parameters, errors_as_json, read_body
from schema.http.streaming import StreamedResponse
from schema.inputs.arguments import parse_day, parse_instant, parse_position
from schema.services import Services
from schema.tables.shipment_file import MAX_BYTES, LineChecker, ShipmentFile

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"


class ShipmentRoute:
    """Handler of files of shipments."""

    def __init__(self, services: Services, access_control: AccessControl):
        self._services = services
        self._access_control = access_control

    @property
    def routes(self) -> list[Route]:
        """Return the route."""
        return [Route("/shipments.csv", self.respond, methods=["POST"])]

    @errors_as_json
    async def respond(self, request: Request) -> Response:
        """Return the lines of a file with their results."""
        client = await self._access_control.authenticate_request(request)
        check_parameters(request, [*MOMENT])
        moment = await self._moment(request.query_params)
        try:
            file = ShipmentFile.parse(await read_body(request, MAX_BYTES))
        except ClientDisconnect:
            return Response(status_code=400)
        held = ExitStack()
        held.enter_context(self._access_control.operation_slot(client))
        checker = LineChecker(
            self._services.as_of,
            moment,
            file,
            lambda: self._access_control.work_slot(client),
            str(request.base_url).rstrip("/"),
        )
        name = f"shipments-{moment.valid_at}-{moment.position}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamedResponse(checker.lines(), held, MEDIA_TYPE, headers)

    async def _moment(self, parameters: Mapping[str, str]) -> Moment:
        """Return the moment of the parameters; now without any. Raises InvalidInput."""
        valid, known, position = (parameters.get(name) for name in MOMENT)
        return await self._services.as_of.resolve(
            None if valid is None else parse_day(Day(valid), "valid"),
            None if known is None else parse_instant(Instant(known), "known"),
            None if position is None else parse_position(Position(position), "position"),
        )
