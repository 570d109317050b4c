"""`/tables`: the list of tables, and `/tables/NAME.csv` (`.json`, `.xlsx`, `.parquet`): their rows.

The address chooses the moment (`valid`, `known` or `position`), and filters the table like its list in the
GraphQL API.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import orjson
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.execution.execute import QUERIES, refusal
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.execution.url_parameters import MOMENT, SCENARIO, require_record
from schema.http.authentication import AccessControl, Client
from schema.http.messages import SHORTER, errors_as_json, gzip_chunks, json_response, takes_gzip
from schema.http.receipt_files import RECEIPT, ReceiptFiles
from schema.http.rendered import fixed_response
from schema.http.streaming import StreamedResponse
from schema.services import Access, Services
from schema.tables.csv_metadata import ENDING, MEDIA_TYPE, csv_metadata
from schema.tables.formats import FORMATS, LICENCE_URL, Header
from schema.tables.openapi import describe_api
from schema.tables.rows import TableAnswer, TableMoment, TableReader, first_page
from schema.tables.table import Table, table, tables
from tracker.errors import InvalidInput, NotFound

PINNED = "max-age=3600, immutable"
"""Cache header of tables with both a date and a position: they are immutable, except for redactions."""


class TableRoute:
    """Handler of requests for tables."""

    def __init__(
        self,
        services: Services,
        access: Access,
        access_control: AccessControl,
        receipts: ReceiptFiles,
    ):
        self._services = services
        self._access = access
        self._access_control = access_control
        self._receipts = receipts
        self._answers = ResponseCache(services, access, most_bytes=0)
        """Answers that are not cached: the pages of a table would displace all others."""

    @property
    def routes(self) -> list[Route]:
        """Return the routes of all tables; their list has a page too, so it is added with that."""
        return [
            Route("/tables/{file}", self.rows),
            Route("/openapi.json", self.openapi, middleware=[SHORTER]),
        ]

    @errors_as_json
    async def index(self, request: Request) -> Response:
        """Return every table with its content, columns, parameters and addresses."""
        await self._access_control.authenticate_request(request)
        return json_response(
            {"tables": [_described(name) for name in tables()]}, Vary="Accept, Authorization"
        )

    @errors_as_json
    async def openapi(self, request: Request) -> Response:
        """Return these routes as OpenAPI 3.1."""
        await self._access_control.authenticate_request(request)
        return await fixed_response(request, describe_api)

    @errors_as_json
    async def rows(self, request: Request) -> Response:
        """Return the rows of a table in a format."""
        client = await self._access_control.authenticate_request(request)
        file, parameters = request.path_params["file"], _parameters(request)
        if file.endswith(ENDING):
            return await self.metadata(request, client, file.removesuffix(ENDING), parameters)
        name, _, ending = file.rpartition(".")
        if ending == RECEIPT:
            return await self.receipts(client, name, parameters)
        return await self.respond(request, client, name, ending, parameters)

    async def metadata(
        self, request: Request, client: Client, name: str, parameters: dict[str, str]
    ) -> Response:
        """Return the metadata of a CSV file without comment lines, with the same parameters."""
        header, answer = await self._read(request, client, name, parameters)
        await answer.pages.aclose()
        address = header.address.replace(f"/{name}{ENDING}", f"/{name}.csv")
        csv_url = str(URL(address).include_query_params(header="none"))
        response = json_response(csv_metadata(replace(header, address=address), csv_url))
        response.headers["Content-Type"] = MEDIA_TYPE
        return response

    async def receipts(self, client: Client, name: str, parameters: dict[str, str]) -> Response:
        """Return the receipts of all pages of a table, with the same parameters."""
        _has_header(parameters.pop("header", "true"))
        chosen = table(name)
        moment, variables = await self._moment(self._reader(client), chosen, parameters)
        pages = self._pages(client, chosen, first_page(chosen, moment, variables))
        file_name = f"{name}-{moment.valid_at}-{moment.position}"
        return await self._receipts.respond_pages(client, pages, file_name)

    async def _pages(
        self, client: Client, chosen: Table, variables: dict[str, Any]
    ) -> AsyncGenerator[tuple[QueryRequest, Answer], None]:
        cursor: str | None = None
        while True:
            values = variables if cursor is None else variables | {"after": cursor}
            query = QueryRequest(chosen.document, values, None, client.caller)
            answer = await self._answers.answer(
                query, QUERIES, self._access_control.work_slot(client)
            )
            if not isinstance(answer, Answer):
                raise refusal(answer["errors"][0])
            yield query, answer
            cursor = chosen.shape.end_cursor(orjson.loads(answer.data))
            if cursor is None:
                return

    async def respond(
        self, request: Request, client: Client, name: str, ending: str, parameters: dict[str, str]
    ) -> Response:
        """Return the rows of a table for a client. Raises NotFound, InvalidInput and Unavailable."""
        if ending not in FORMATS:
            raise NotFound(f"expected NAME.{', NAME.'.join(FORMATS)}")
        titled = _has_header(parameters.pop("header", "true"))
        pinned = "valid" in parameters and "position" in parameters
        header, answer = await self._read(request, client, name, parameters)
        held = ExitStack()
        held.enter_context(self._access_control.operation_slot(client))
        format = FORMATS[ending]
        chunks = format.write(header, answer.pages, titled)
        packed = not format.packs and takes_gzip(request.headers.get("accept-encoding", ""))
        visibility = "public" if self._access_control.is_shared(request) else "private"
        headers = {
            "Cache-Control": f"{visibility}, {PINNED if pinned else 'no-cache'}",
            "Content-Disposition": f'attachment; filename="{_file_name(header, ending)}"',
            "Link": f'<{header.address}>; rel="canonical", <{LICENCE_URL}>; rel="license"',
            "Vary": "Authorization" if format.packs else "Authorization, Accept-Encoding",
        }
        if packed:
            headers["Content-Encoding"] = "gzip"
            chunks = gzip_chunks(chunks)
        return StreamedResponse(chunks, held, format.media_type, headers)

    async def _read(
        self, request: Request, client: Client, name: str, parameters: dict[str, str]
    ) -> tuple[Header, TableAnswer]:
        """Return the header and the rows of a table. Raises NotFound, InvalidInput and Unavailable."""
        chosen, reader = table(name), self._reader(client)
        moment, variables = await self._moment(reader, chosen, parameters)
        answer = await reader.read(chosen, moment, variables)
        address = _address(request, moment.valid_at, moment.position)
        return Header(chosen, moment, address, answer.completeness), answer

    def _reader(self, client: Client) -> TableReader:
        return TableReader(
            self._services,
            self._access,
            client.caller,
            lambda: self._access_control.work_slot(client),
        )

    async def _moment(
        self, reader: TableReader, chosen: Table, parameters: dict[str, str]
    ) -> tuple[TableMoment, dict[str, Any]]:
        """Return the moment and the variables of a table for the parameters of an address."""
        pinned = {key: parameters.pop(key, None) for key in MOMENT}
        variables = chosen.read(parameters)
        moment = await reader.moment(pinned["valid"], pinned["known"], pinned["position"])
        return moment, variables


def _parameters(request: Request) -> dict[str, str]:
    require_record(request.query_params.get(SCENARIO), "a table")
    items = request.query_params.multi_items()
    for name, _ in items:
        if len(request.query_params.getlist(name)) > 1:
            raise InvalidInput("expected one value", code="BAD_REQUEST", path=(name[:50],))
    return dict(items)


def _has_header(text: str) -> bool:
    """Return whether a file begins with comment lines; `false` and `none` omit them."""
    if text not in ("true", "false", "none"):
        raise InvalidInput("expected true, false or none", path=("header",))
    return text == "true"


def _address(request: Request, valid_at: str, position: str) -> str:
    """Return the permanent address of the same table."""
    url = request.url.remove_query_params("known")
    return str(url.include_query_params(valid=valid_at, position=position))


def _file_name(header: Header, ending: str) -> str:
    moment = header.moment
    return f"{header.table.name}-{moment.valid_at}-{moment.position}.{ending}"


def _described(name: str) -> Mapping[str, Any]:
    one = table(name)
    return {
        "name": name,
        "about": one.about,
        "columns": [
            {
                "name": column.name,
                "type": column.scalar,
                "many": column.many,
                "about": column.description,
            }
            for column in one.shape.columns
        ],
        "parameters": list(one.parameters),
        "files": [f"/tables/{name}.{ending}" for ending in FORMATS],
        "receipts": f"/tables/{name}.{RECEIPT}",
        "document": one.document,
    }
