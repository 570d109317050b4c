"""Automatic persisted queries: a hash instead of a document, over GET and POST."""

import hashlib
import json
from typing import Any

import httpx2
import pytest

from projections.lru_cache import ENTRY_OVERHEAD_BYTES
from schema.execution.persisted_documents import PersistedQueries
from tests.support.api import Api
from tests.support.cases import each_case
from tracker.errors import NotFound

QUERY = "query Sum { head other: commodities { key } }"
MODERN = {"Accept": "application/graphql-response+json"}


def sha256(document: str) -> str:
    """Return the hash that clients send."""
    return hashlib.sha256(document.encode()).hexdigest()


def asked(document: str, **more: Any) -> dict[str, Any]:
    """Return the extensions of a request for a document."""
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(document), **more}}


async def send(
    api: Api, method: str, extensions: Any, query: str | None = None, **headers: str
) -> httpx2.Response:
    """Send a request like Apollo's clients."""
    body = {"extensions": extensions, **({"query": query} if query else {})}
    if method == "POST":
        return await api.request("POST", "/graphql", json=body, headers=headers)
    params = {**body, "extensions": json.dumps(extensions)}
    return await api.request("GET", "/graphql", params=params, headers=headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", [{}, MODERN], ids=["json", "graphql-response"])
async def test_a_document_is_sent_once_and_then_its_hash(
    api: Api, method: str, headers: dict[str, str]
) -> None:
    unknown = await send(api, method, asked(QUERY), **headers)
    assert unknown.status_code == 200
    assert unknown.json() == {
        "errors": [
            {
                "message": "PersistedQueryNotFound",
                "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
            }
        ]
    }
    assert unknown.headers["cache-control"] == "no-store"
    first = await send(api, method, asked(QUERY), QUERY, **headers)
    assert first.json()["data"]["head"] == "0"
    for other in ("GET", "POST"):
        assert (await send(api, other, asked(QUERY), **headers)).json() == first.json()


@each_case(
    ("extensions", "field"),
    [
        ({"persistedQuery": {"version": 2, "sha256Hash": sha256(QUERY)}}, "version"),
        ({"persistedQuery": {"version": 1, "sha256Hash": "abc"}}, "sha256Hash"),
        ({"persistedQuery": {"version": 1}}, "sha256Hash"),
        ({"persistedQuery": asked("{ head }")["persistedQuery"]}, "sha256Hash"),
        ({"persistedQuery": "x"}, None),
    ],
    ids=["version", "shape", "no hash", "another document's", "no object"],
)
@each_case("method", ["GET", "POST"])
async def test_a_hash_that_is_none_is_refused_with_its_field(
    api: Api, method: str, extensions: dict[str, Any], field: str | None
) -> None:
    response = await send(api, method, extensions, QUERY)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["extensions"] == {
        "code": "BAD_REQUEST",
        "path": ["extensions", "persistedQuery", *([field] if field else [])],
    }
    again = await send(api, method, asked(QUERY))
    assert again.json()["errors"][0]["message"] == "PersistedQueryNotFound"


async def test_a_mutation_may_be_persisted_but_never_asked_by_get(api: Api) -> None:
    mutation = 'mutation { retractEvent(input: {eventId: "x"}) { position } }'
    await send(api, "POST", asked(mutation), mutation)
    assert (await send(api, "GET", asked(mutation))).status_code == 405


def test_documents_that_were_not_asked_for_longest_are_forgotten() -> None:
    persisted = PersistedQueries(3 * (ENTRY_OVERHEAD_BYTES + len("{ head000 }")))
    documents = [f"{{ head{n:03} }}" for n in range(4)]
    for document in documents[:3]:
        persisted.document(document, asked(document))
    assert persisted.document(None, asked(documents[0])) == documents[0]
    persisted.document(documents[3], asked(documents[3]))
    assert persisted.document(None, asked(documents[0])) == documents[0]
    with pytest.raises(NotFound, match="PersistedQueryNotFound"):
        persisted.document(None, asked(documents[1]))


def test_hashes_are_the_same_in_capitals() -> None:
    persisted = PersistedQueries()
    persisted.document(QUERY, asked(QUERY))
    capitals = {"persistedQuery": {"version": 1, "sha256Hash": sha256(QUERY).upper()}}
    assert persisted.document(None, capitals) == QUERY


def test_a_document_too_large_to_keep_is_not_kept() -> None:
    persisted = PersistedQueries(1000)
    persisted.document("x" * 2000, asked("x" * 2000))
    with pytest.raises(NotFound):
        persisted.document(None, asked("x" * 2000))
