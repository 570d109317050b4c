"""Trusted documents: named by ids over every way, and alone where the operator says so."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from httpx2 import Response

from deploy.config.access import trusted_documents
from deploy.config.table import WrongSetting
from schema.app import create_app
from schema.execution.persisted_documents import MAX_MANIFEST_BYTES, TrustedDocuments
from schema.http.response_format import SSE
from schema.services import Services
from tests.support.api import OPEN, Api
from tests.support.cases import each_case
from tests.support.web_server import serving
from tests.support.websocket_client import connected, receive, send
from tracker.errors import InvalidInput

HEAD = "query Head { head }"
HEAD_ID = "sha256:" + hashlib.sha256(HEAD.encode()).hexdigest()
COMMODITIES = "query ($search: String) { commodities(search: $search) { key } }"
OTHER = "{ places { code } }"
MANIFEST = json.dumps({HEAD_ID: HEAD, "relay-md5": COMMODITIES}).encode()


def trusted(only: bool = False) -> TrustedDocuments:
    """Return two documents, one by its hash and one by a custom id."""
    return TrustedDocuments.from_manifest(MANIFEST, only)


class TrustingApi(Api):
    """The API of a server with a manifest."""

    def __init__(self, services: Services, only: bool):
        super().__init__(services)
        self.app = create_app(services, OPEN, trusted=trusted(only))


@pytest.fixture
def api(services: Services) -> Api:
    """Run a server that accepts other documents too."""
    return TrustingApi(services, only=False)


@pytest.fixture
def strict(services: Services) -> Api:
    """Run a server that refuses other documents."""
    return TrustingApi(services, only=True)


async def asked(api: Api, method: str, **body: Any) -> Response:
    """Send a request with any parameters of a body."""
    if method == "POST":
        return await api.request("POST", "/graphql", json=body)
    params = {name: of if isinstance(of, str) else json.dumps(of) for name, of in body.items()}
    return await api.request("GET", "/graphql", params=params)


def refusal(response: Response) -> tuple[int, str, list[str] | None]:
    """Return status, code and path of the only error."""
    [error] = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], error["extensions"].get("path")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_trusted_document_is_named_by_its_hash_or_by_the_id_of_the_manifest(
    api: Api, method: str
) -> None:
    assert (await asked(api, method, documentId=HEAD_ID)).json()["data"] == {"head": "0"}
    found = await asked(api, method, documentId="relay-md5", variables={"search": "gallium"})
    assert {"key": "gallium"} in found.json()["data"]["commodities"]
    own_hash = "sha256:" + hashlib.sha256(COMMODITIES.encode()).hexdigest()
    assert (await asked(api, method, documentId=own_hash)).status_code == 200


async def test_an_answer_to_a_named_document_has_the_same_tag_as_to_its_text(api: Api) -> None:
    named, told = (await asked(api, "GET", documentId=HEAD_ID), await asked(api, "GET", query=HEAD))
    assert named.headers.get("etag") == told.headers.get("etag")
    assert named.content == told.content


@each_case(
    ("body", "expected"),
    [
        ({"documentId": "sha256:" + "0" * 64}, (404, "DOCUMENT_NOT_FOUND", ["documentId"])),
        ({"documentId": "unknown"}, (404, "DOCUMENT_NOT_FOUND", ["documentId"])),
        ({"documentId": "sha256:ABC"}, (400, "BAD_REQUEST", ["documentId"])),
        ({"documentId": HEAD_ID.upper()}, (400, "BAD_REQUEST", ["documentId"])),
        ({"documentId": "md5:" + "0" * 32}, (400, "BAD_REQUEST", ["documentId"])),
        ({"documentId": ""}, (400, "BAD_REQUEST", ["documentId"])),
        ({"documentId": "a b"}, (400, "BAD_REQUEST", ["documentId"])),
        ({"documentId": "a" * 201}, (400, "BAD_REQUEST", ["documentId"])),
        ({"documentId": HEAD_ID, "query": OTHER}, (400, "BAD_REQUEST", ["documentId"])),
        ({"documentId": "relay-md5", "query": OTHER}, (400, "BAD_REQUEST", ["documentId"])),
    ],
)
@each_case("method", ["GET", "POST"])
async def test_an_id_of_no_document_is_refused_with_its_field(
    api: Api, method: str, body: dict[str, Any], expected: tuple[int, str, list[str]]
) -> None:
    assert refusal(await asked(api, method, **body)) == expected


async def test_an_id_is_text(api: Api) -> None:
    assert refusal(await asked(api, "POST", documentId=5)) == (400, "BAD_REQUEST", ["documentId"])


async def test_a_client_may_send_a_document_once_with_its_id(api: Api) -> None:
    id = "sha256:" + hashlib.sha256(OTHER.encode()).hexdigest()
    assert (await asked(api, "POST", documentId=id, query=OTHER)).status_code == 200
    assert "places" in (await asked(api, "GET", documentId=id)).json()["data"]


async def test_a_trusted_document_is_known_to_automatic_persisted_queries(api: Api) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": HEAD_ID.removeprefix("sha256:")}}
    assert (await asked(api, "GET", extensions=extensions)).json()["data"] == {"head": "0"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_strict_server_answers_trusted_documents_and_refuses_all_others(
    strict: Api, method: str
) -> None:
    for body in ({"documentId": HEAD_ID}, {"query": HEAD}, {"documentId": HEAD_ID, "query": HEAD}):
        assert (await asked(strict, method, **body)).json()["data"] == {"head": "0"}
    hash = hashlib.sha256(OTHER.encode()).hexdigest()
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": hash}}
    for body in (
        {"query": OTHER},
        {"query": HEAD + " "},
        {"query": "{ __schema { types { name } } }"},
        {"query": OTHER, "documentId": f"sha256:{hash}"},
        {"query": OTHER, "extensions": persisted},
    ):
        assert refusal(await asked(strict, method, **body)) == (403, "DOCUMENT_NOT_TRUSTED", None)
    unknown = await asked(strict, method, extensions=persisted)  # it was not cached
    assert refusal(unknown) == (200, "PERSISTED_QUERY_NOT_FOUND", None)


async def test_a_strict_server_refuses_mutations_of_others_and_streams_what_is_trusted(
    strict: Api,
) -> None:
    mutation = {"query": "mutation { retractEvent { position } }"}
    assert refusal(await asked(strict, "POST", **mutation))[1] == "DOCUMENT_NOT_TRUSTED"
    for body, expected in (({"documentId": HEAD_ID}, 200), ({"query": OTHER}, 403)):
        response = await strict.request("POST", "/graphql", json=body, headers={"Accept": SSE})
        assert response.status_code == expected


async def test_tables_are_documents_of_the_server_and_go_on(strict: Api) -> None:
    assert (await strict.request("GET", "/tables/places.csv")).status_code == 200


@pytest.fixture
async def url(services: Services) -> AsyncIterator[str]:
    """Run a strict server on a port."""
    async with serving(services, OPEN, trusted=trusted(only=True)) as (address, *_):
        yield f"ws://{address}/graphql"


async def test_a_websocket_takes_ids_and_refuses_one_operation_and_not_the_connection(
    url: str,
) -> None:
    async with connected(url) as socket:
        for id, payload, expected in (
            ("1", {"documentId": HEAD_ID}, None),
            ("2", {"query": OTHER}, "DOCUMENT_NOT_TRUSTED"),
            ("3", {"documentId": "unknown"}, "DOCUMENT_NOT_FOUND"),
            ("4", {"query": HEAD}, None),
        ):
            await send(socket, "subscribe", id=id, payload=payload)
            message = await receive(socket)
            assert message["id"] == id
            if expected is None:
                assert message["payload"]["data"] == {"head": "0"}
                assert (await receive(socket))["type"] == "complete"
            else:
                assert message["type"] == "error"
                [error] = message["payload"]
                assert error["extensions"]["code"] == expected


# --- the manifest


def test_the_manifest_of_apollo_is_one_too() -> None:
    manifest = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": "a1", "name": "Head", "type": "query", "body": HEAD}],
    }
    assert set(TrustedDocuments.from_manifest(orjson.dumps(manifest)).by_id) == {"a1", HEAD_ID}


@each_case(
    ("manifest", "code", "path"),
    [
        (b"{", "INVALID_JSON", ()),
        (b"[]", "INVALID_INPUT", ()),
        (b'{"a": 5}', "INVALID_INPUT", ("a",)),
        (b'{"a": "{"}', "GRAPHQL_PARSE_FAILED", ("a",)),
        (b'{"md5:0": "{ head }"}', "INVALID_INPUT", ("md5:0",)),
        (json.dumps({HEAD_ID: OTHER}).encode(), "WRONG_HASH", (HEAD_ID,)),
        (b'{"a": "{ %s }"}' % (b"head " * 25_000), "INVALID_INPUT", ("a",)),
        (json.dumps({f"a{n}": HEAD for n in range(10_001)}).encode(), "TOO_LARGE", ()),
        (b'{"format": "apollo-persisted-query-manifest"}', "INVALID_INPUT", ("version",)),
        (
            b'{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [5]}',
            "INVALID_INPUT",
            ("operations", 0),
        ),
    ],
)
def test_a_wrong_manifest_says_which_document_is_wrong(
    manifest: bytes, code: str, path: tuple[str | int, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        TrustedDocuments.from_manifest(manifest)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_a_manifest_has_a_limited_size() -> None:
    with pytest.raises(InvalidInput) as caught:
        TrustedDocuments.from_manifest(b" " * (MAX_MANIFEST_BYTES + 1))
    assert (caught.value.code, caught.value.path) == ("TOO_LARGE", ())


def test_the_settings_name_the_file_and_the_mode(tmp_path: Path) -> None:
    file = tmp_path / "documents.json"
    file.write_bytes(MANIFEST)
    named = {"TRACKER_DOCUMENTS": str(file)}
    assert trusted_documents({}) == TrustedDocuments()
    assert trusted_documents(named) == trusted()
    strict = trusted_documents({**named, "TRACKER_OTHER_DOCUMENTS": "refuse"})
    assert strict == trusted(only=True)
    file.write_bytes(json.dumps({HEAD_ID: OTHER}).encode())
    for wrong, said in (
        ({"TRACKER_OTHER_DOCUMENTS": "refuse"}, "in TRACKER_DOCUMENTS"),
        ({"TRACKER_OTHER_DOCUMENTS": "perhaps"}, "expected answer or refuse"),
        ({"TRACKER_DOCUMENTS": str(tmp_path / "none")}, "No such file"),
        (named, f"{HEAD_ID}: the document has another hash"),
    ):
        with pytest.raises(WrongSetting, match=said):
            trusted_documents(wrong)


def test_the_manifest_in_the_docs_is_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
    manifest = text.partition("```json\n")[2].partition("```")[0]
    assert HEAD_ID in TrustedDocuments.from_manifest(manifest.encode()).by_id
