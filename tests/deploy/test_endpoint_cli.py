"""`tracker endpoint`: adding, listing and changing on the command line."""

import asyncio
import base64
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from deploy.bootstrap import open_connection, running_tracker
from deploy.cli.main import app
from deploy.cli.process import Exit
from tests.support.command_line import GroupCommands
from tests.support.fact_builders import announced, suspended
from tracker.postgres.database import OWNER, Target

URL = "https://example.org/events?key=hush-hush"


class EndpointCommands(GroupCommands):
    """The commands about endpoints, on a database with three events."""

    GROUP = "endpoint"

    def values(self, *arguments: object) -> dict[str, list[str]]:
        """Return the values that a command prints, by name."""
        return {name: values for name, *values in self.rows(*arguments)}

    def sql(self, statement: str) -> None:
        """Write like a deliverer."""

        async def execute() -> None:
            async with open_connection(self.target, role=OWNER) as connection:
                await connection.execute(statement)

        asyncio.run(execute())


@pytest.fixture
def line(target: Target) -> EndpointCommands:
    """Return the command line on a log with three events: of `a`, of `b`, and again of `a`."""

    async def record() -> None:
        async with running_tracker(target) as services:
            for key, fact in (
                ("a", announced()),
                ("b", announced(issuer="US")),
                ("a", suspended()),
            ):
                await services.commands.record(f"export-control/{key}", fact)

    asyncio.run(record())
    return EndpointCommands(target)


def test_an_endpoint_of_a_chat_is_added_and_its_address_stays_hidden(
    line: EndpointCommands,
) -> None:
    hook = "https://hooks.example.com/services/hush-hush"
    added = line.run("add", hook, "--name", "desk", "--format", "slack", "--batch", "50")
    assert added.exit_code == Exit.OK, added.output
    shown = line.values("show", "desk")
    assert (shown["format"], shown["url"]) == (["slack"], ["https://hooks.example.com/…"])
    assert "hush" not in line.run("list").output + line.run("changes", "desk").output
    refused = line.run("add", hook, "--name", "team", "--format", "teams", "--batch", "21")
    assert refused.exit_code != Exit.OK
    assert "from 1 to 20 in the format TEAMS" in refused.stderr
    assert line.run("add", hook, "--format", "irc").exit_code == Exit.USAGE


def test_an_endpoint_is_added_with_its_filter_and_shown(line: EndpointCommands) -> None:
    filter: Sequence[str] = (
        *("--types", "ExportControl.Announced,ExportControl.Suspended", "--types", "Firm.Renamed"),
        *("--commodity", "rare_earths", "--commodity", "gallium", "--place", "CN, quad"),
        *("--batch", "50", "--proof", "--hmac", "--owner", "ann", "--after", "0"),
    )
    added = line.run("add", URL, "--name", "n", *filter)
    assert added.exit_code == Exit.OK, added.output
    assert "shown once" in added.stderr
    name, key, secret = (row.split("\t") for row in added.stdout.splitlines())
    assert (name, key[0], secret[0]) == (["name", "n"], "key", "secret")
    assert len(base64.b64decode(key[1].removeprefix("whpk_"))) == 32
    assert len(base64.b64decode(secret[1].removeprefix("whsec_"))) == 32
    shown = line.values("show", "n")
    assert shown["key"] == [key[1], ""]
    told = {of: shown[of] for of in ("types", "commodities", "places", "about", "batch", "proof")}
    assert told == {
        "types": ["ExportControl.Announced,ExportControl.Suspended,Firm.Renamed"],
        "commodities": ["rare_earths,gallium"],
        "places": ["CN,quad"],
        "about": [""],
        "batch": ["50"],
        "proof": ["yes"],
    }
    assert shown["format"] == ["events"]
    assert (shown["position"], shown["head"], shown["events that wait"]) == (["0"], ["3"], ["2"])
    listed = line.rows("list")
    assert listed == [["n", "active", "0", "0", "", "ann", "https://example.org/events?…"]]
    for command in ("show n", "list", "changes n"):
        text = line.run(*command.split()).output
        assert "hush" not in text
        assert "whsec_" not in text


def test_actions_are_reported_and_recorded(line: EndpointCommands) -> None:
    assert line.values("add", URL, "--name", "n", "--place", "CN", "--after", 0)["name"] == ["n"]
    line.sql("UPDATE delivery.endpoints SET position = 2, previous_position = 1")
    for command in (
        *("pause n", "resume n", "replay n --from 1 --to 2", "replay n --end", "park n 3"),
        *("retry n 3", "retry n", "rotate n --overlap-hours 1", "pause n"),
    ):
        result = line.run(*command.split(), "--reason", f"since\n{command}")
        assert result.exit_code == Exit.OK, result.output
    done = [row[1:] for row in line.rows("changes", "n")]
    assert [row[1] for row in done[::-1]] == [
        *("added", "paused", "resumed", "replayed", "replay ended", "parked", "retried", "retried"),
        *("rotated", "paused"),
    ]
    assert done[0][:3] == ["command line", "paused", "since\\u000apause n"]
    assert line.rows("changes", "n", "--limit", 1) == [line.rows("changes", "n")[0]]
    [[position, _, who, reason, error]] = line.rows("parked", "n")
    assert (position, who, reason, error) == ("3", "command line", "since\\u000apark n 3", "")
    keys = [values for name, *values in line.rows("show", "n") if name == "key"]
    assert [until != "" for _, until in keys] == [True, False]
    assert line.values("show", "n")["state"] == ["paused"]


def test_the_last_requests_are_listed_and_those_that_failed(line: EndpointCommands) -> None:
    line.rows("add", URL, "--name", "n", "--after", 0)
    line.sql(
        "INSERT INTO delivery.attempts (endpoint, attempted_at, message_id, first_position, last_position,"
        " events, attempt, duration_seconds, status, error) SELECT id, '2026-01-02T03:04:05Z', 'e', 1, 2, 2,"
        " n, 0.25, 499 + n, CASE WHEN n > 1 THEN E'bad\\nway' END"
        " FROM delivery.endpoints, generate_series(1, 2) n"
    )
    bad = ["2026-01-02T03:04:05Z", "1", "2", "2", "failed", "501", "0.250", "bad\\u000away"]
    good = ["2026-01-02T03:04:05Z", "1", "2", "1", "accepted", "500", "0.250", ""]
    assert line.rows("deliveries", "n") == [bad, good]
    assert line.rows("deliveries", "n", "--failed") == [bad]
    assert line.rows("deliveries", "n", "--limit", "1") == [bad]


def test_an_endpoint_is_removed_by_who_is_sure(line: EndpointCommands) -> None:
    line.rows("add", URL, "--name", "n")
    assert line.run("remove", "n", "--reason", "gone").exit_code != Exit.OK
    assert len(line.rows("list")) == 1
    assert line.run("remove", "n", "--reason", "gone", "--yes").exit_code == Exit.OK
    assert line.rows("list") == []
    assert "NOT_FOUND" in line.refused("show", "n")
    assert "NOT_FOUND" in line.refused("show", "\udcff")


def test_errors_are_one_line_with_a_code(line: EndpointCommands) -> None:
    line.rows("add", URL, "--name", "n", "--place", "CN", "--after", 0)
    why = ("--reason", "because")
    for arguments, said in (
        (("add", "http://example.org"), "(ADDRESS_REFUSED)"),
        (("add", URL, "--name", "n"), "(NAME_TAKEN)"),
        (("add", URL, "--after", "4"), "from 0 to 3"),
        (("add", URL, "--types", "No.Such"), "(UNKNOWN_TYPE)"),
        (("add", URL, "--commodity", "gallium,"), "(UNKNOWN_COMMODITY)"),
        (("add", URL, "--place", "ZZ"), "(UNKNOWN_PLACE)"),
        (("add", URL, "--about", "quad"), "'alliance/quad' (INVALID_ID)"),
        (("pause", "m", *why), "There is no endpoint 'm' (NOT_FOUND)"),
        (("replay", "n", "--from", "1", *why), "(INVALID_INPUT)"),
        (("park", "n", "2", *why), "(INVALID_INPUT)"),
        (("pause", "n", "--reason", ""), "(INVALID_INPUT)"),
    ):
        assert said in line.refused(*arguments), arguments
    assert [row[0] for row in line.rows("list")] == ["n"]


def test_a_network_that_the_operator_names_is_allowed(line: EndpointCommands) -> None:
    added = line.run("add", "http://10.1.2.3:9000/in", TRACKER_DELIVERY_NETWORKS="10.1.0.0/16")
    assert added.exit_code == Exit.OK, added.output
    assert line.rows("list")[0][6] == "http://10.1.2.3:9000/in"


@pytest.mark.parametrize(
    "arguments",
    [
        ("pause", "n"),
        ("replay", "n", "--reason", "x"),
        ("replay", "n", "--reason", "x", "--from", "1", "--end"),
        ("replay", "n", "--reason", "x", "--to", "1", "--end"),
        ("park", "n", "0", "--reason", "x"),
        ("deliveries", "n", "--limit", "1001"),
        ("add",),
    ],
)
def test_wrong_usage_is_said_before_the_database_is_asked(arguments: tuple[str, ...]) -> None:
    nowhere = {"TRACKER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    result = CliRunner().invoke(app, ["endpoint", *arguments], env=nowhere)
    assert result.exit_code == Exit.USAGE, result.output
