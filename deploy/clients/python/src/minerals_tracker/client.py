"""Answers of a tracker as of any date."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode

from minerals_tracker.connection import Connection, first_error
from minerals_tracker.events import Event, follow
from minerals_tracker.receipts import Receipt
from minerals_tracker.tables import Table

if TYPE_CHECKING:
    from minerals_tracker import schema

PAGE_SIZE = 100
SOURCES = "because { position source { name url publishedOn } }"
CONTROL = (
    "key title issuer { code name } direction announcedOn instrument official"
    " clauses { key measure status statusStatement confirmation commodities { key name }"
    " destinations { code name } inForceFrom inForceUntil suspendedUntil returnsOn }"
    f" {SOURCES}"
)
ALLIANCE = f"key name status foundedOn endedOn members {{ place {{ code name }} role }} {SOURCES}"
ANNOUNCEMENT = f"key title date kind note commodities {{ key name }} {SOURCES}"
CLAIM = (
    "figure value upper unit qualifier publisher edition publishedOn estimated"
    " series { commodity { key } place { code name } statistic stage form period until }"
)
FIGURE = f"key claims {{ {CLAIM} }} preferred {{ {CLAIM} }} {SOURCES}"
TRANSITION = "day summary entity"
DUTY = "{ statement low high complete notCovered }"
SHIPMENT = (
    "summary verdicts { kind match obligation clause {"
    " control { key title } clause { key } reasons exceptions firstDay lastDay } }"
    f" importDuties {DUTY} exportDuties {DUTY} openQuestions {{ id text field }}"
    " upcoming { day summary } assumptions disclaimer"
)


class Tracker:
    """A server. Methods can be called from several threads."""

    def __init__(
        self, url: str, *, token: str | None = None, timeout: float = 30.0, retries: int = 4
    ):
        """Name a server; `timeout` is in seconds, and `retries` limits repeated requests."""
        self._connection = Connection(url, token, timeout, retries)

    def query(self, document: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Return the data of a GraphQL query. Raises TrackerError."""
        return cast(dict[str, Any], self._send(document, variables or {}, {})["data"])

    def as_of(self, valid_at: date | str | None = None, position: int | str | None = None) -> AsOf:
        """Return the answers as of a date (today), as recorded at a position (the newest one)."""
        return AsOf(self, None if valid_at is None else str(valid_at), position)

    def events(
        self, after: int | str | None = None, *, follow_log: bool = True, **filters: str
    ) -> Iterator[Event]:
        """Yield the events after a position or resume token (0: all; default: new ones).

        Interruptions are resumed, so that each event comes once. `follow_log=False` ends at the present head.
        Filters are `types`, `commodity`, `place`, `entity` and `limit`.
        """
        start = self.query("{ head }")["head"] if after is None else after
        return follow(self._connection, str(start), filters, forever=follow_log)

    def table_types(self, name: str) -> dict[str, str]:
        """Return the columns of a table with their types. Raises KeyError."""
        headers = {"Accept": "application/json"}
        described = json.loads(self._connection.read("/tables", headers=headers))["tables"]
        tables = {table["name"]: table["columns"] for table in described}
        return {
            column["name"]: "List" if column["many"] else column["type"] for column in tables[name]
        }

    def _send(
        self, document: str, variables: Mapping[str, object], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        body = {"query": document, "variables": variables}
        answer = json.loads(self._connection.read("/graphql", body=body, headers=headers))
        if answer.get("errors"):
            raise first_error(answer["errors"])
        return cast(dict[str, Any], answer)


class AsOf:
    """Answers as of a date. The first one fixes the position of the log for all others."""

    def __init__(self, tracker: Tracker, valid_at: str | None, position: int | str | None):
        self._tracker = tracker
        self._valid_at = valid_at
        self._position = None if position is None else str(position)

    @property
    def valid_at(self) -> str:
        """Return the date."""
        self._fix()
        return cast(str, self._valid_at)

    @property
    def position(self) -> int:
        """Return the position of the log."""
        self._fix()
        return int(cast(str, self._position))

    def select(self, field: str, fields: str = "", **arguments: object) -> Any:
        """Return a field of `asOf`: `select("production", "world { value }", commodity="tin", year=2023)`."""
        document, variables = self._document(field, fields, arguments)
        return self._tracker.query(document, variables)["asOf"][field]

    def pages(self, field: str, fields: str, **arguments: object) -> Iterator[Any]:
        """Yield all nodes of a list of `asOf`, which is read page by page."""
        more: dict[str, object] = {"first": PAGE_SIZE, **arguments}
        while True:
            selection = f"nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }}"
            page = self.select(field, selection, **more)
            yield from page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            more["after"] = page["pageInfo"]["endCursor"]

    def export_control(self, key: str, fields: str = CONTROL) -> schema.ExportControl | None:
        """Return an act by its key, or None."""
        return cast("schema.ExportControl | None", self.select("exportControl", fields, id=key))

    def export_controls(
        self, fields: str = CONTROL, **filters: object
    ) -> Iterator[schema.ExportControl]:
        """Yield the acts that match, such as `export_controls(issuer="CN", commodity="gallium")`."""
        return self.pages("exportControls", fields, **filters)

    def alliance(self, key: str, fields: str = ALLIANCE) -> schema.Alliance | None:
        """Return an alliance by its key, or None."""
        return cast("schema.Alliance | None", self.select("alliance", fields, id=key))

    def alliances(self, fields: str = ALLIANCE, **filters: object) -> Iterator[schema.Alliance]:
        """Yield the alliances that match."""
        return self.pages("alliances", fields, **filters)

    def announcement(self, key: str, fields: str = ANNOUNCEMENT) -> schema.Announcement | None:
        """Return an announcement by its key, or None."""
        return cast("schema.Announcement | None", self.select("announcement", fields, id=key))

    def announcements(
        self, fields: str = ANNOUNCEMENT, **filters: object
    ) -> Iterator[schema.Announcement]:
        """Yield the announcements that match."""
        return self.pages("announcements", fields, **filters)

    def figure(self, key: str, fields: str = FIGURE) -> schema.Figure | None:
        """Return a figure by its key, or None."""
        return cast("schema.Figure | None", self.select("figure", fields, id=key))

    def claims(self, fields: str = CLAIM, **filters: object) -> Iterator[schema.Claim]:
        """Yield the claims of publishers that match."""
        return self.pages("claims", fields, **filters)

    def upcoming(self, fields: str = TRANSITION, **filters: object) -> Iterator[schema.Transition]:
        """Yield the status changes to come."""
        return self.pages("upcoming", fields, **filters)

    def shipment(self, fields: str = SHIPMENT, **shipment: object) -> schema.ShipmentCheck:
        """Return the rules for a shipment, such as `shipment(commodity="tungsten", destination="DE")`."""
        return cast("schema.ShipmentCheck", self.select("shipment", fields, input=shipment))

    def table(self, name: str, **parameters: object) -> Table:
        """Return a table, such as `table("clauses", commodity="gallium", status="IN_FORCE")`."""
        types = self._tracker.table_types(name)
        query = urlencode({**parameters, "valid": self.valid_at, "position": self.position})
        address = f"/tables/{quote(name)}.json?{query}"
        content = json.loads(self._tracker._connection.read(address))
        return Table(name, content["about"], types, content["rows"])

    def receipt(self, field: str, fields: str = "", **arguments: object) -> Receipt:
        """Return the answer of `select` as a signed receipt."""
        document, variables = self._document(field, fields, arguments)
        answer = self._tracker._send(document, variables, {"Prefer": "receipt"})
        canonical = json.dumps(
            answer["data"], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        return Receipt(answer["extensions"]["receipt"], canonical.encode())

    def _fix(self) -> None:
        """Fix the date and the position, if they are open."""
        if self._valid_at is None or self._position is None:
            document = (
                "query ($day: Day, $position: Position) {"
                " asOf(validAt: $day, position: $position) { validAt position } }"
            )
            variables = {"day": self._valid_at, "position": self._position}
            moment = self._tracker.query(document, variables)["asOf"]
            self._valid_at, self._position = moment["validAt"], moment["position"]

    def _document(
        self, field: str, fields: str, arguments: Mapping[str, object]
    ) -> tuple[str, dict[str, object]]:
        """Return the query of a field at this moment, with its variables."""
        self._fix()
        types = operations()[field]
        if unknown := sorted(arguments.keys() - types.keys()):
            raise TypeError(
                f"{field} has no argument {unknown[0]}: expected one of {', '.join(types)}"
            )
        given = {name: value for name, value in arguments.items() if value is not None}
        declared = "".join(f", ${name}: {types[name]}" for name in given)
        passed = ", ".join(f"{name}: ${name}" for name in given)
        call = f"{field}({passed})" if passed else field
        selection = f" {{ {fields} }}" if fields else ""
        document = (
            f"query ($validAt: Day!, $position: Position!{declared})"
            f" {{ asOf(validAt: $validAt, position: $position) {{ {call}{selection} }} }}"
        )
        return document, {"validAt": self._valid_at, "position": self._position, **given}


@cache
def operations() -> dict[str, dict[str, str]]:
    """Return the fields of `asOf`, with the types of their arguments."""
    text = files("minerals_tracker").joinpath("operations.json").read_text("utf-8")
    return cast(dict[str, dict[str, str]], json.loads(text))
