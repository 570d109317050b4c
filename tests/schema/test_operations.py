"""Operators' view: readiness, metrics, request ids, a log line per request."""

import json
import logging
import re
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.bootstrap import open_connection, running_tracker
from deploy.output.log_format import JsonFormatter
from schema.services import Services
from schema.telemetry import readiness
from schema.telemetry.metrics import MAX_OPERATION_NAMES
from tests.projections.test_search_index import hold_index
from tests.support.absent_database import absent_database
from tests.support.api import Api, control, document
from tests.support.cases import each_case
from tests.support.fact_builders import announced, suspended
from tests.support.log_events import event
from tests.support.waiting import all_projected
from tracker.errors import NewerRelease
from tracker.postgres.database import PROJECTOR, Target


async def metrics(api: Api) -> dict[tuple[str, ...], float]:
    """Return the samples by name and label values."""
    response = await api.request("GET", "/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


async def gone(*_: Any, **__: Any) -> None:
    """Run a server with an unreachable database."""
    raise OSError("gone")


async def test_requests_are_counted_by_operation_and_outcome(services: Services) -> None:
    api = Api(services)
    for body in (
        {"query": "query Head { head }", "operationName": "Head"},
        {"query": "{ head }"},
        {"query": "{ nothing }"},
        {"query": 5},
    ):
        await api.request("POST", "/graphql", json=body)
    await api.request("GET", "/graphql", headers={"Accept": "text/html"})
    counted = {
        key[1:]: value
        for key, value in (await metrics(api)).items()
        if key[0] == "tracker_request_seconds_count"
    }
    assert counted == {
        ("Head", "ok"): 1,
        ("unnamed", "ok"): 1,
        ("unnamed", "GRAPHQL_VALIDATION_FAILED"): 1,
        ("unnamed", "BAD_REQUEST"): 1,
    }


async def test_clients_can_not_make_more_series_than_there_may_be(services: Services) -> None:
    api = Api(services)
    for number in range(MAX_OPERATION_NAMES + 5):
        await api.request(
            "POST", "/graphql", json={"query": f"query N{number}{'x' * 1000} {{ head }}"}
        )
    counted = [key for key in await metrics(api) if key[0] == "tracker_request_seconds_count"]
    assert len(counted) == MAX_OPERATION_NAMES + 1
    assert max(len(key[1]) for key in counted) == 64


async def test_appends_and_the_lag_are_measured(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(services)
    await api.do("announceExportControl", control())
    await services.commands.record("export-control/y", announced(), idempotency_key="k")
    await services.commands.record("export-control/y", announced(), idempotency_key="k")
    found = await metrics(api)
    assert found["tracker_appended_events_total",] == 2  # repetitions are not new
    assert found["tracker_append_seconds_count", "ok"] >= 2
    assert (found["tracker_log_position",], found["tracker_database_up",]) == (2, 1)
    assert found["tracker_pool_connections_most", "log"] == 10
    assert found["tracker_pool_connections_used", "moments"] == 0

    async def behind() -> int:
        return 0

    monkeypatch.setattr(services.projector, "position", behind)
    found = await metrics(api)
    assert found["tracker_projection_lag_events",] == 2
    assert 0 < found["tracker_projection_lag_seconds",] < 100
    monkeypatch.setattr(services.recorder, "head", gone)
    assert (await metrics(api))["tracker_database_up",] == 0


DATABASE_GAUGES = {
    "tracker_log_position",
    "tracker_projection_lag_events",
    "tracker_projection_lag_seconds",
    "tracker_search_lag_events",
    "tracker_search_lag_seconds",
    "tracker_checkpoint_size",
    "tracker_checkpoint_lag_seconds",
    "tracker_clock_difference_seconds",
    "tracker_delivery_lag_seconds",
    "tracker_endpoints_failing",
    "tracker_endpoints",
    "tracker_sources_overdue",
    "tracker_candidates_waiting",
}


@pytest.mark.parametrize("scraped_before", [False, True])
async def test_gauges_that_a_scrape_could_not_read_have_no_value(
    services: Services, target: Target, scraped_before: bool
) -> None:
    api = Api(services)
    await services.commands.record("export-control/y", announced())
    if scraped_before:
        assert not DATABASE_GAUGES - {name for name, *_ in await metrics(api)}
    async with absent_database(target):
        unread = await metrics(api)
        assert unread["tracker_database_up",] == unread["tracker_another_release",] == 0
        assert DATABASE_GAUGES & {name for name, *_ in unread} == set()


async def test_a_server_whose_rows_another_release_maintains_reports_the_log_and_deliveries(
    services: Services, target: Target
) -> None:
    api = Api(services)
    await services.commands.record("export-control/y", announced())
    await metrics(api)
    async with open_connection(target) as connection:
        await connection.execute("UPDATE projection.progress SET fold = 'another'")
    await services.recorder.append([event("export-control/z", "z")])
    found = await metrics(api)
    assert found["tracker_another_release",] == found["tracker_database_up",] == 1
    assert found["tracker_log_position",] == 2
    assert found["tracker_delivery_lag_seconds",] == 0
    assert ("tracker_projection_lag_events",) not in found
    assert (await api.request("GET", "/readyz")).json()["head"] == 2


async def test_a_search_index_that_stands_still_is_measured_and_warned_of(
    services: Services, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(services)
    async with open_connection(target, role=PROJECTOR) as holder, holder.transaction():
        await hold_index(holder)
        await services.commands.record("export-control/y", announced())
        await services.projector.reach(1)
        found = await metrics(api)
        assert found["tracker_search_lag_events",] == 1
        assert 0 < found["tracker_search_lag_seconds",] < 100
        assert (await api.request("GET", "/readyz")).json()["warnings"] == []
        monkeypatch.setattr(readiness, "MAX_LAG_SECONDS", 0)
        ready = await api.request("GET", "/readyz")
    assert ready.status_code == 200
    [warning] = ready.json()["warnings"]
    assert re.fullmatch(
        r"the search index is 1 event and \d+ seconds behind the log, and searches wait for it:"
        r" expected at most 1000 events and 0 seconds",
        warning,
    )


async def test_followers_are_counted(services: Services) -> None:
    api = Api(services)
    assert (await metrics(api))["tracker_followers",] == 0
    events = services.follower.follow(0)
    await services.commands.record("export-control/y", announced())
    await anext(events)
    assert (await metrics(api))["tracker_followers",] == 1
    await events.aclose()  # type: ignore[attr-defined]
    assert (await metrics(api))["tracker_followers",] == 0


async def test_readiness_says_why_not(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(services)
    await services.commands.record("export-control/y", announced())
    await services.projector.reach(1)
    response = await api.request("GET", "/readyz")
    assert (response.status_code, response.json()["reasons"]) == (200, [])

    async def behind() -> int:
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(readiness, "MAX_LAG_EVENTS", 0)
        patch.setattr(services.projector, "position", behind)
        response = await api.request("GET", "/readyz")
        assert response.status_code == 503
        assert response.json()["reasons"] == [
            "the projection is 1 events behind the log: expected at most 0"
        ]
    with monkeypatch.context() as patch:  # few events, but since long
        patch.setattr(readiness, "MAX_LAG_SECONDS", -1)
        patch.setattr(services.projector, "position", behind)
        response = await api.request("GET", "/readyz")
        assert response.status_code == 503
        [reason] = response.json()["reasons"]
        assert re.fullmatch(
            r"the projection is \d+ seconds behind the log: expected at most -1", reason
        )
        assert 0 < response.json()["lagSeconds"] < 60
    with monkeypatch.context() as patch:
        patch.setattr(services.follower, "listening", False)
        response = await api.request("GET", "/readyz")
        assert response.status_code == 503
        assert "no listener on the log" in response.json()["reasons"][0]
    with monkeypatch.context() as patch:
        patch.setattr(services.recorder, "head", gone)
        response = await api.request("GET", "/readyz")
        assert response.status_code == 503
        assert response.json()["reasons"] == ["the database does not answer"]
        assert (await api.request("GET", "/healthz")).status_code == 200


@each_case(
    ("given", "kept"),
    [("abc-1.2:3_4", True), ("", False), ("two words", False), ("x" * 101, False), ('"}', False)],
)
async def test_a_request_has_one_id_from_end_to_end(
    services: Services, given: str, kept: bool
) -> None:
    response = await Api(services).request(
        "POST", "/graphql", json={"query": "{ head }"}, headers={"X-Request-ID": given}
    )
    assert (response.headers["x-request-id"] == given) == kept
    assert response.headers["x-request-id"]


async def test_a_request_is_one_line_without_secrets_or_variables(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    body = {
        "query": document("announceExportControl"),
        "variables": {"input": control(title="nobody's business")},
    }
    with caplog.at_level(logging.INFO):
        await Api(services).request(
            "POST",
            "/graphql",
            json=body,
            headers={"Authorization": "Bearer hunter2", "X-Request-ID": "r1"},
        )
    [record] = [record for record in caplog.records if record.name == "tracker.requests"]
    line = json.loads(JsonFormatter().format(record))
    assert line.pop("milliseconds") > 0
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "tracker.requests",
        "request": "r1",
        "transport": "http",
        "outcome": "UNAUTHENTICATED",
        "status": 401,
    }
    everything = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert "hunter2" not in everything
    assert "nobody's business" not in everything


def test_other_lines_are_json_too_with_their_traceback() -> None:
    try:
        raise ValueError("wrong")
    except ValueError as error:
        record = logging.LogRecord(
            "x",
            logging.ERROR,
            "",
            1,
            "it\nis %s",
            ("so",),
            (ValueError, error, error.__traceback__),
        )
    line = JsonFormatter().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["message"], told["level"]) == ("it\nis so", "error")
    assert "ValueError: wrong" in told["error"]


async def test_a_command_on_a_stream_with_facts_of_a_newer_release_is_an_error_of_the_server(
    target: Target,
) -> None:
    async with running_tracker(target) as before:
        await before.commands.record("export-control/y", announced())
        await all_projected(before)
    async with open_connection(target) as admin:
        await admin.execute(
            "ALTER TABLE log.events DISABLE TRIGGER ALL;"
            "UPDATE log.events SET type = 'ExportControl.Sold', entry = convert_to(replace(convert_from("
            "entry, 'UTF8'), 'ExportControl.Announced', 'ExportControl.Sold'), 'UTF8')"
        )
    async with running_tracker(target) as services:
        with pytest.raises(
            NewerRelease, match=r"^Event 1 \(ExportControl.Sold\) cannot be read here"
        ):
            await services.commands.record("export-control/y", suspended("1"))
