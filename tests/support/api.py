"""The API over HTTP, and short builders of mutations."""

from decimal import Decimal
from typing import Any

import httpx2

from schema.app import create_app
from schema.services import Access, Services
from tests.support.fact_builders import announced
from tests.support.fact_builders import source as plain_source

OPEN = Access(open=True)


class Api:
    """A client of the application."""

    def __init__(self, services: Services, access: Access = OPEN):
        self.services = services
        self.app = create_app(services, access)

    async def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Send a request."""
        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **options)

    async def post(
        self, document: str, headers: dict[str, str] | None = None, **variables: Any
    ) -> dict[str, Any]:
        """Return the response to a document, with its errors."""
        body = {"query": document, "variables": variables}
        response = await self.request("POST", "/graphql", json=body, headers=headers)
        answer: dict[str, Any] = response.json()
        return answer

    async def ask(self, document: str, **variables: Any) -> Any:
        """Return the data of a response, which must have no errors."""
        answer = await self.post(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def keys(
        self, list: str, arguments: str, day: str, position: str | None = None
    ) -> list[str]:
        """Return the keys of a whole list, page by page, and check its total."""
        nodes = await self.nodes(
            "query ($at: Position, $after: String) {"
            f' asOf(validAt: "{day}", position: $at)'
            f" {{ {list}({arguments} first: 200, after: $after)"
            " { totalCount nodes { key } pageInfo { hasNextPage endCursor } } } }",
            at=position,
        )
        return [node["key"] for node in nodes]

    async def nodes(self, document: str, **variables: Any) -> Any:
        """Return the nodes of the only list below `asOf`, page by page, and check their number."""
        nodes, after = [], None
        while True:
            [page] = (await self.ask(document, after=after, **variables))["asOf"].values()
            nodes += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                assert page.get("totalCount", len(nodes)) == len(nodes)
                return nodes
            after = page["pageInfo"]["endCursor"]

    async def refused(self, document: str, **variables: Any) -> tuple[str, list[str | int] | None]:
        """Return code and path of the only error, and check that nothing was recorded."""
        head = await self.services.recorder.head()
        answer = await self.post(document, **variables)
        assert await self.services.recorder.head() == head
        [error] = answer["errors"]
        assert "Traceback" not in str(answer)
        return error["extensions"]["code"], error["extensions"].get("path")

    async def do(self, mutation: str, input: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return the result of a mutation."""
        data = await self.ask(document(mutation), input=input, **more)
        result: dict[str, Any] = data[mutation]
        return result

    async def fails(
        self, mutation: str, input: dict[str, Any], **more: Any
    ) -> tuple[str, list[str | int] | None]:
        """Return code and path of the error of a mutation."""
        return await self.refused(document(mutation), input=input, **more)


def document(mutation: str) -> str:
    """Return a document with one mutation."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    expected = "" if mutation == "retractEvent" else ", $expected: Int"
    passed = "" if mutation == "retractEvent" else ", expectedVersion: $expected"
    return (
        f"mutation ($input: {kind}!, $key: String{expected}) {{ {mutation}(input: $input,"
        f" idempotencyKey: $key{passed})"
        " { positions position eventId repeated entity version event { type actor } } }"
    )


def source(publisher: str = "mofcom", published_on: str = "2024-12-03") -> dict[str, Any]:
    """Return a source as mutation input."""
    return {**plain_source(publisher, published_on), "checked": "PAGE"}


def clause(id: str = "1", **more: Any) -> dict[str, Any]:
    """Return a ban of gallium exports, in force from 3 December 2024."""
    return {
        "id": id,
        "measure": "BAN",
        "commodities": ["gallium"],
        "inForceFrom": "2024-12-03",
        **more,
    }


def control(id: str = "x", *clauses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an export control of China."""
    return {
        "id": id,
        "on": "2024-12-03",
        "issuer": "CN",
        "direction": "EXPORT",
        "title": "Gallium to the US",
        "source": source(),
        "clauses": list(clauses) or [clause()],
        **more,
    }


def suspension(id: str = "x", *clauses: str, **more: Any) -> dict[str, Any]:
    """Return a suspension from 9 November 2025 to 27 November 2026."""
    return {
        "id": id,
        "on": "2025-11-09",
        "clauses": list(clauses),
        "suspendedFrom": "2025-11-09",
        "suspendedUntil": "2026-11-27",
        "source": source(published_on="2025-11-09"),
        **more,
    }


def claim(
    value: str | None = "240000",
    *,
    place: str = "CN",
    publisher: str = "usgs",
    published_on: str = "2024-01-31",
    edition: str = "MCS 2024",
    year: int = 2023,
    **quantity: Any,
) -> dict[str, Any]:
    """Return a claim on mine output of rare earths."""
    return {
        "series": {
            "commodity": "rare_earths",
            "place": place,
            "statistic": "PRODUCTION",
            "stage": "MINE",
            "period": year,
        },
        "edition": edition,
        "quantity": {"value": value, "unit": "t", "basis": "REO", **quantity},
        "source": source(publisher, published_on),
    }


def flow(
    *parts: tuple[str, str, str | None],
    code: str = "811292",
    importer: str = "DE",
    year: int = 2024,
    edition: str = "BACI 202601",
    published_on: str = "2026-01",
    publisher: str = "cepii",
) -> dict[str, Any]:
    """Return a claim on a trade flow: origins with their values in dollars and weights in tonnes."""
    parts = parts or (("CN", "9000", "60"), ("CA", "1000", "40"))
    weights = [weight for _, _, weight in parts if weight is not None]
    whole = {"value": str(sum(map(Decimal, weights)))}
    return {
        "hsEdition": "HS17",
        "hsCode": code,
        "importer": importer,
        "year": year,
        "edition": edition,
        "value": {"value": str(sum(Decimal(value) for _, value, _ in parts)), "unit": "USD"},
        "quantity": {
            "unit": "t",
            **(whole if len(weights) == len(parts) else {"qualifier": "NOT_AVAILABLE"}),
        },
        "origins": {
            "parts": [
                {
                    "place": place,
                    "value": {"value": value, "unit": "USD"},
                    "quantity": {"value": weight, "unit": "t"} if weight else None,
                }
                for place, value, weight in parts
            ]
        },
        "source": source(publisher, published_on),
    }


async def main_of(api: Api, path: str) -> str:
    """Return the HTML of a page's content."""
    response = await api.request("GET", path)
    assert response.status_code == 200, response.text
    return response.text[response.text.index("<main") : response.text.index("</main>")]


async def announce(services: Services, *names: str) -> None:
    """Record an announcement of each name."""
    for name in names:
        await services.commands.record(f"export-control/{name}", announced(), idempotency_key=name)
