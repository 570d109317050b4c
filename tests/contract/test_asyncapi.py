"""`/asyncapi.json` is valid AsyncAPI, and pushed messages match it."""

from __future__ import annotations

import json
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from schema.routes.asyncapi import describe_pushes
from schema.services import Access, Services
from tests.support.api import OPEN, Api
from tests.support.libraries import jsonschema
from tests.support.node import CLIENTS, node, npm_packages
from tests.support.pushed import Described
from tests.support.receivers import answer, receiving
from tests.support.web_server import serving
from tests.support.websocket_client import EVENTS, connected, receive, send
from tracker.delivery.message import batch_message, event_message
from tracker.delivery.sender import Sender
from tracker.delivery.signatures import Algorithm, generate_key
from tracker.domain.events.registry import FACTS
from tracker.web.networks import Networks


@pytest.mark.nightly
async def test_the_parser_of_asyncapi_has_nothing_to_complain_of(services: Services) -> None:
    answer = await Api(services, OPEN).request("GET", "/asyncapi.json")
    with tempfile.TemporaryDirectory(dir=npm_packages()) as directory:
        program = Path(directory) / "asyncapi.js"
        program.write_bytes((CLIENTS / "asyncapi.js").read_bytes())
        file = Path(directory) / "asyncapi.json"
        file.write_bytes(answer.content)
        found = json.loads(await node(Path(directory), program.name, file.name))
        file.write_bytes(orjson.dumps({"asyncapi": answer.json()["asyncapi"]}))
        broken = json.loads(await node(Path(directory), program.name, file.name))
    assert found["complaints"] == []
    assert found["channels"] == {
        "events": ["/events", len(FACTS) + 1],
        "graphql": ["/graphql", 8],
        "endpoint": [None, 5],
        "relayed": ["{prefix}.{type}", 1],
    }
    assert {"sendServerSentEvents", "sendLines", "subscribe", "deliver", "askReceiver"} <= set(
        found["operations"]
    )
    assert broken["complaints"]


async def lines(api: Api, query: str) -> list[Any]:
    """Return events as lines."""
    found = await api.request(
        "GET", f"/events?follow=false&{query}", headers={"Accept": "application/x-ndjson"}
    )
    return [json.loads(line) for line in found.text.splitlines()]


async def test_every_type_of_event_of_the_corpus_is_sent_as_described(
    read_services: Services,
) -> None:
    api, described = Api(read_services, OPEN), Described(describe_pushes())
    seen = [event for type_ in FACTS for event in await lines(api, f"types={type_}&limit=3")]
    assert len({event["type"] for event in seen}) > 15
    for event in seen:
        described.check(event["type"], event)
        described.check("RelayedEvent", event)  # whose payload is any event


async def test_an_event_that_is_not_as_described_is_noticed(read_services: Services) -> None:
    api, described = Api(read_services, OPEN), Described(describe_pushes())
    [event] = await lines(api, "types=ExportControl.Suspended&limit=1")
    older = {**event, "dataschema": event["dataschema"].replace(":2", ":1")}
    described.check("OlderEvent", older)
    described.check("RelayedEvent", older)
    harms: list[dict[str, Any]] = [
        {"position": 12},
        {"type": "Figure.Claimed"},
        {"dataschema": "urn:x"},
        {"version": 0},
        {"data": {**event["data"], "note": "a text, not what commits to it"}},
        {"data": {**event["data"], "unknown": 1}},
    ]
    for harm in harms:
        with pytest.raises(jsonschema.ValidationError):
            described.check("ExportControl.Suspended", {**deepcopy(event), **harm})


async def test_subscriptions_speak_as_described(read_services: Services) -> None:
    described = Described(describe_pushes())
    asked: list[tuple[str, dict[str, Any]]] = [
        ("Ping", {"type": "ping"}),
        (
            "Subscribe",
            {"type": "subscribe", "id": "1", "payload": {"query": EVENTS, "variables": None}},
        ),
        ("Complete", {"type": "complete", "id": "1"}),
        ("Subscribe", {"type": "subscribe", "id": "2", "payload": {"query": "{ head }"}}),
        ("Subscribe", {"type": "subscribe", "id": "3", "payload": {"query": "{ nothing }"}}),
    ]
    asked[1][1]["payload"]["variables"] = {"after": "0"}
    expected = [("Pong",), ("Next",), (), ("Next", "Complete"), ("Error",)]
    names = {"pong": "Pong", "next": "Next", "error": "Error", "complete": "Complete"}
    async with (
        serving(read_services, Access()) as (address, *_),
        connected(f"ws://{address}/graphql") as socket,
    ):
        for (message, told), answers in zip(asked, expected, strict=True):
            described.check(message, told)
            await send(socket, **told)
            for name in answers:
                answer = await receive(socket)
                while answer.get("id") == "1" and told.get("id", "1") != "1":
                    answer = await receive(socket)
                assert names[answer["type"]] == name
                described.check(name, answer)
    described.check("ConnectionInit", {"type": "connection_init", "payload": {}})
    described.check("ConnectionAck", {"type": "connection_ack"})
    with pytest.raises(jsonschema.ValidationError):
        described.check("Next", {"type": "next", "payload": {"data": None}})


async def test_deliveries_are_as_described(read_services: Services) -> None:
    described = Described(describe_pushes())
    first, second = await read_services.recorder.read(0, limit=2)
    keys = [generate_key(algorithm) for algorithm in Algorithm]
    one = event_message(first, 0, "c2sp.org/tlog-proof@v1\n")
    several = batch_message([(first, 0), (second, 1)])
    async with (
        receiving(answer("204 No Content")) as receiver,
        Sender(Networks.parse(["127.0.0.0/8"]), "tracker.example.org") as sender,
    ):
        await sender.handshake(receiver.url)
        for message in (one, several):
            assert (await sender.send(receiver.url, message, keys)).delivered
    asked, *posted = receiver.requests
    described.check("Handshake", None, asked.headers)
    for name, request in zip(("Delivery", "BatchDelivery"), posted, strict=True):
        described.check(name, json.loads(request.body), request.headers)
        content_type = described.description["components"]["messages"][name]["contentType"]
        assert request.headers["content-type"] == content_type
    with pytest.raises(jsonschema.ValidationError):
        described.check("Delivery", json.loads(first.entry))
    with pytest.raises(jsonschema.ValidationError):
        described.check(
            "Delivery", json.loads(one.body), {**posted[0].headers, "webhook-signature": "x"}
        )
