"""Digests of pages: the queries about two moments, and their letters."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from schema.execution.execute import QUERIES, execute, refusal
from schema.pages.alerts.lines import (
    UPCOMING_DAYS,
    Clause,
    Data,
    Selection,
    limited_clauses,
    lines_on_clauses,
    page_lines,
    shipment_lines,
)
from schema.pages.alerts.targets import Target, parse_target
from schema.pages.alerts.texts import Digest, Line, Point, arranged, digest_letter
from schema.pages.check import check
from schema.pages.site.address import href
from schema.pages.site.entities import state_name
from schema.pages.site.feeds import event_types
from schema.pages.site.fragments import with_fragments
from schema.services import READ_ONLY_CALLER, Access, Services
from tracker.alerts.letter import Letter, Paragraph
from tracker.alerts.subscription import Frequency, Subscription

MAX_PAGES = 10
"""Maximum number of pages of a list in a digest."""
TOO_MANY = "There are more changes than this digest lists."
NAMED_ONLY = (
    "Of the controls of other issuers, this digest lists those that name the place or a group that contains"
    " it. It omits controls on trade with all places: see the page of the place."
)
DISCLAIMER = "Only recorded changes are listed. Information, not legal advice."
DAY = timedelta(days=1)
OF_CONTROLS = {"types": event_types("EXPORT_CONTROL")}
NAMED = frozenset({"control", "alliance", "announcement", "figure"})
"""Pages of entities with names of their own."""
MAX_SHARED = 64
"""Maximum number of digests that subscribers to the same page share."""


class Digests:
    """Compares two moments of a page through the API, with the rights of a reader."""

    def __init__(self, services: Services):
        self._services = services
        self._shared: OrderedDict[tuple[str, Point, Point], Digest] = OrderedDict()

    async def letter(
        self, subscription: Subscription, day: date, position: int, unsubscribe: str
    ) -> Letter | None:
        """Return the digest of a subscription up to a moment; None if there is nothing to send.

        Raises InvalidInput if the page no longer exists, and Unavailable.
        """
        target = parse_target(subscription.choice.target)
        since, until = Point(subscription.day, subscription.position), Point(day, position)
        key = (str(target), since, until)
        digest = self._shared.get(key) or await self.digest(target, since, until)
        self._shared[key] = digest
        if len(self._shared) > MAX_SHARED:
            self._shared.popitem(last=False)
        frequency = subscription.choice.frequency
        if not digest.counts and frequency is not Frequency.WEEKLY:
            return None
        site = unsubscribe.partition("/alerts/")[0]
        words = f"You get this mail because you subscribed to this page ({frequency.value})."
        footer = [
            Paragraph(words, unsubscribe, "Unsubscribe", note=True),
            Paragraph("All subscriptions of your address:", f"{site}/alerts", "Alerts", note=True),
        ]
        return digest_letter(digest, site, footer)

    async def digest(self, target: Target, since: Point, until: Point) -> Digest:
        """Return the changes of a page between two moments. Raises InvalidInput and Unavailable."""
        until_day, position = until.day.isoformat(), str(until.position)
        await self._services.projector.reach(until.position, seconds=20)
        if target.page is check.PAGE:
            lines, remarks = await self._shipment(target, since, until)
        else:
            lines, remarks = await self._page(target, since, until)
        return Digest(
            title=await self.title(target, until),
            page=str(target.address.pin(until_day, position)),
            comparison=comparison(target, since, until),
            since=since,
            until=until,
            lines=arranged(lines),
            remarks=[*remarks, DISCLAIMER],
        )

    async def title(self, target: Target, until: Point) -> str:
        """Return the name of the entity of a page, or else the page and its filters in words."""
        kind = target.page.name
        if kind not in NAMED:
            return target.title
        variables = {"key": target.address.parameters["key"], kind: True, **_moment(until)}
        data = await self._query("DigestName", variables)
        name = next((state_name(one) for one in data["asOf"].values()), None)
        return name or target.title

    async def _page(
        self, target: Target, since: Point, until: Point
    ) -> tuple[list[Line], list[str]]:
        """Return the lines of a page with a list of events, and remarks on them."""
        about = {"commodity": target.commodity, "place": target.place}
        coded = {**about, "hsCode": target.hs_code}
        filters = target.events or {}
        entity, search = filters.get("entity"), filters.get("search")
        events, more = await self._events(since, until, filters)
        if target.commodity or target.place:  # the page says which lists were read
            events = [one for one in events if not one["type"].startswith("Coverage.")]
        transitions: Sequence[Data] = []
        controls: Sequence[Data] = []
        remarks: list[str] = []
        entities: set[str] | None = {entity} if entity else None
        if search:
            variables = {**_moment(until), **about, "search": search}
            found, _ = await self._list("DigestMatches", variables)
            entities = {one["entity"] for one in found["nodes"]}
        if "types" not in filters or target.kinds:
            last = until.day + UPCOMING_DAYS * DAY
            kind = target.kinds[0] if len(target.kinds) == 1 else None
            variables = {**coded, "entity": entity, "kind": kind}
            found, too_many = await self._transitions(since, until, last, variables)
            more |= too_many
            transitions = found["nodes"]
            if found["completeness"]:
                remarks.append(found["completeness"]["statement"])
        if not target.kinds or "EXPORT_CONTROL" in target.kinds:
            controls, too_many = await self._confirmations(since, until, coded)
            more |= too_many
        lines = page_lines(
            events, transitions, controls, since, until, Selection(target.kinds, entities)
        )
        if target.page.name == "place" and target.place:
            own = {line.key for line in lines}
            others, too_many = await self._others(target.place, since, until)
            lines += [line for line in others if line.key not in own]
            more |= too_many
            remarks.append(NAMED_ONLY)
        return lines, [*remarks, *([TOO_MANY] if more else [])]

    async def _others(self, place: str, since: Point, until: Point) -> tuple[list[Line], bool]:
        """Return the lines on clauses of other issuers that name a place, and whether there are more."""
        clauses: set[Clause] = set()
        incomplete = False
        for direction, side in (("EXPORT", "destination"), ("IMPORT", "origin")):
            for point in (since, until):
                variables = {**_moment(point), "direction": direction, side: place}
                found, more = await self._list("DigestClauses", variables)
                clauses |= limited_clauses(found["nodes"], place, f"{side}s")
                incomplete |= more
        last = until.day + UPCOMING_DAYS * DAY
        events, more_events = await self._events(since, until, OF_CONTROLS)
        turns, more_turns = await self._transitions(since, until, last, {"kind": "EXPORT_CONTROL"})
        controls, more_controls = await self._confirmations(since, until, {})
        lines = lines_on_clauses(events, turns["nodes"], controls, since, until, clauses)
        return lines, incomplete or more_events or more_turns or more_controls

    async def _shipment(
        self, target: Target, since: Point, until: Point
    ) -> tuple[list[Line], list[str]]:
        """Return the lines of a check of a shipment, and its disclaimer."""
        variables = {
            "input": target.shipment,
            "start": _moment(since),
            "middle": _moment(Point(since.day, until.position)),
            "end": _moment(until),
        }
        data = await self._query("DigestShipment", variables)
        events, more = await self._events(since, until, OF_CONTROLS)
        transitions: Sequence[Data] = []
        if since.day < until.day:
            of_controls = {"kind": "EXPORT_CONTROL"}
            found, too_many = await self._transitions(since, until, until.day, of_controls)
            transitions, more = found["nodes"], more or too_many
        lines = shipment_lines(data, events, transitions, target.address, since, until)
        disclaimer = data["passed"]["after"]["disclaimer"]
        return [*lines], [disclaimer, *([TOO_MANY] if more else [])]

    async def _events(
        self, since: Point, until: Point, filters: Data
    ) -> tuple[Sequence[Data], bool]:
        """Return the events that were recorded between two moments, and whether there are more."""
        variables = {**_moment(until), "since": str(since.position), **filters}
        found, more = await self._list("DigestEvents", variables, cursor="since")
        return found["nodes"], more

    async def _transitions(
        self, since: Point, until: Point, last: date, filters: Data
    ) -> tuple[dict[str, Any], bool]:
        """Return the transitions after the first day up to `last`, and whether there are more."""
        days = {"from": (since.day + DAY).isoformat(), "until": last.isoformat()}
        return await self._list("DigestTransitions", {**_moment(until), **days, **filters})

    async def _confirmations(
        self, since: Point, until: Point, filters: Data
    ) -> tuple[Sequence[Data], bool]:
        """Return the controls that differ between two moments, and whether there are more."""
        moments = {"from": _moment(since), "to": _moment(until)}
        found, more = await self._list("DigestConfirmations", {**filters, **moments})
        return found["nodes"], more

    async def _list(
        self, operation: str, variables: Data, cursor: str = "after"
    ) -> tuple[dict[str, Any], bool]:
        """Return a whole list, and whether it has more pages than `MAX_PAGES`."""
        nodes: list[Data] = []
        values = dict(variables)
        for _ in range(MAX_PAGES):
            data = await self._query(operation, values)
            part = data.get("asOf", data)["list"]
            nodes += part["nodes"]
            if not part["pageInfo"]["hasNextPage"]:
                return {**part, "nodes": nodes}, False
            values[cursor] = part["pageInfo"]["endCursor"]
        return {**part, "nodes": nodes}, True

    async def _query(self, operation: str, variables: Mapping[str, Any]) -> Any:
        """Return the data of a query of the document. Raises its first error."""
        answer = await execute(
            self._services,
            document(),
            variables,
            Access(),
            caller=READ_ONLY_CALLER,
            operation_name=operation,
            allowed=QUERIES,
        )
        for error in answer.get("errors", ()):
            raise refusal(error)
        return answer["data"]


def comparison(target: Target, since: Point, until: Point) -> str | None:
    """Return the comparison of two moments of a page; None if `/changes` has no filter of the page."""
    filters = target.events
    if filters is None or target.hs_code or filters.keys() & {"entity", "search"}:
        return None
    if filters.get("types") and not target.kinds:
        return None
    moments = {
        "from": since.day.isoformat(),
        "fromPosition": since.position,
        "valid": until.day.isoformat(),
        "position": until.position,
    }
    about = {
        "commodity": target.commodity,
        "place": target.place,
        "kind": target.kinds[0] if len(target.kinds) == 1 else None,
    }
    return href("/changes", {**moments, **about})


@cache
def document() -> str:
    """Return the document with the queries of digests."""
    return with_fragments(files(__package__).joinpath("digest.graphql").read_text("utf-8"))


def _moment(point: Point) -> dict[str, str]:
    return {"validAt": point.day.isoformat(), "position": str(point.position)}
