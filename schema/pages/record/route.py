"""Answers `/record`: forms for commands, a preview of each, and recording.

The preview and the recording go the very way of API clients: `preview` and `record`, with one command.
What was previewed is what is recorded: the version that the preview counts on is expected, and the
key of the form counts once, however often it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any
from uuid import uuid4

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from strawberry.types.graphql import OperationType

from schema.execution.execute import QUERIES, QUERIES_AND_MUTATIONS, refusal
from schema.execution.response_cache import Answer, Question, ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.http.csrf import read_form
from schema.pages.charts.status_bars import StatusTable
from schema.pages.record.draft import CORRECT, RETRACT, Draft
from schema.pages.record.event_values import event_state
from schema.pages.record.fields import Field, State, commands, form_fields, label_of
from schema.pages.record.form import (
    fields_of,
    make_input,
    read_state,
    with_another,
    without_empty,
    without_item,
)
from schema.pages.record.preview_words import (
    meaningful_fields,
    path_in_words,
    status_table,
    written,
)
from schema.pages.site.address import Address
from schema.pages.site.html import FORM_REFUSED, around, html_response, session
from schema.pages.site.plain import PlainPages
from tracker import clock
from tracker.auth.scopes import Scope
from tracker.domain.commodities import commodities
from tracker.domain.places import places
from tracker.errors import InvalidInput, NotFound, ReadOnly

MAX_FORM_BYTES = 512 * 1024
ADD, REMOVE, DO, KEY, VERSION, CHOICE = "add", "remove", "do", "key", "version", "choice"
CONTROLS = frozenset({ADD, REMOVE, DO, KEY, VERSION, CHOICE})
"""Fields of a form that are not of its input."""
PREVIEW, RECORD = "preview", "record"
"""What a form may be sent to do."""
USUAL = (
    "announceExportControl",
    "suspendExportControl",
    "reinstateExportControl",
    "recordAnnouncement",
    "recordFigure",
    RETRACT,
    CORRECT,
)
"""The commands that editors use most, first in the list."""
NO_STORE = {"Cache-Control": "no-store"}


class RecordRoute:
    """Answers requests for forms."""

    def __init__(self, access_control: AccessControl, answers: ResponseCache):
        self._access_control = access_control
        self._answers = answers

    def routes(self, pages: PlainPages) -> Sequence[Route]:
        """The routes."""
        return [
            pages.route("/record", self.respond),
            pages.route("/record/{command}", self.respond, ("GET", "POST")),
        ]

    async def respond(self, request: Request, client: Client) -> Response:
        """The list of commands, or a form. Raises ReadOnly, Unauthenticated, Forbidden and NotFound."""
        if client.read_only:
            raise ReadOnly
        client.caller.require(Scope.RECORD)
        command = request.path_params.get("command")
        if command is None:
            shown = {**around(Address(request.url.path), None, session(client)), **_index()}
            return html_response("record/index.html", shown)
        if command not in commands():
            raise NotFound(f"there is no command {command[:100]!r}", path=("command",))
        if request.method == "POST":
            return await self._sent(command, request, client)
        form = Draft(command, read_state(commands()[command], request.query_params.multi_items()))
        if command in (RETRACT, CORRECT):
            form.event = await self._event(form.state.get("eventId"), client)
        replacement = event_state(form.event) if form.event and command == CORRECT else None
        if replacement and "replacement" not in form.state:
            form.state["replacement"] = replacement
        return _form_page(form, request, client)

    async def _sent(self, command: str, request: Request, client: Client) -> Response:
        """What a form was sent to do."""
        pairs = await read_form(request, MAX_FORM_BYTES)
        controls = {name: value for name, value in pairs if name in CONTROLS}
        filled = read_state(
            commands()[command], [pair for pair in pairs if pair[0] not in CONTROLS]
        )
        form = Draft(command, filled, controls.get(KEY) or str(uuid4()))
        if path := controls.get(ADD):
            form.state = with_another(form.state, path)
        elif path := controls.get(REMOVE):
            form.state = without_item(form.state, path)
        elif chosen := controls.get(CHOICE):
            if chosen not in dict(_replacements()):
                raise InvalidInput("expected one of the facts that there are", path=(CHOICE,))
            form.state["replacement"] = {chosen: {}}
        else:
            form.state = {**read_state(form.kind, [])} | _cleaned(form.state)
            if controls.get(DO) == RECORD:
                form.version = _number(controls.get(VERSION))
                if position := await self._record(form, client):
                    return RedirectResponse(f"/events/{position}", 303, NO_STORE)
            await self._preview(form, client)
        return _form_page(form, request, client)

    async def _record(self, form: Draft, client: Client) -> str | None:
        """Record what a form says; None where it is refused, and the form tells why."""
        answer = await self._carry_out(form, RECORD, client)
        return str(answer["position"]) if answer else None

    async def _preview(self, form: Draft, client: Client) -> None:
        """Preview what a form says, unless something is wrong with it."""
        form.version = None
        if not form.errors:
            form.preview = await self._carry_out(form, PREVIEW, client)
        if form.preview and form.preview["events"]:
            form.version = form.preview["events"][0]["version"] - 1

    async def _carry_out(self, form: Draft, what: str, client: Client) -> dict[str, Any] | None:
        data, errors = make_input(form.kind, form.state)
        form.errors |= errors
        if errors:
            return None
        variables = {"commands": [form.ordered(data)], "idempotencyKey": form.key}
        answer = await self._ask(what, variables, client)
        for error in answer.get("errors", ()):
            form.note(refusal(error))
        found: dict[str, Any] | None = (answer.get("data") or {}).get(what)
        return found

    async def _event(self, event_id: State | None, client: Client) -> Mapping[str, Any] | None:
        """The event that a form is about; None where it names none. Raises NotFound."""
        if not isinstance(event_id, str) or not event_id:
            return None
        answer = await self._ask("event", {"eventId": event_id}, client)
        for error in answer.get("errors", ()):
            raise refusal(error)
        event: Mapping[str, Any] | None = answer["data"]["event"]
        if event is None:
            raise NotFound(f"There is no event {event_id!r}", path=("eventId",))
        return event

    async def _ask(self, name: str, variables: dict[str, Any], client: Client) -> Mapping[str, Any]:
        """The answer to a document of this directory, as API clients have it."""
        document = files("schema.pages.record").joinpath(f"{name}.graphql").read_text("utf-8")
        allowed: Iterable[OperationType] = QUERIES_AND_MUTATIONS if name == RECORD else QUERIES
        answer = await self._answers.answer(
            Question(document, variables, None, client.caller),
            allowed,
            self._access_control.work_slot(client),
        )
        found: Mapping[str, Any] = (
            orjson.loads(answer.body) if isinstance(answer, Answer) else answer
        )
        return found


def _cleaned(state: dict[str, State]) -> dict[str, State]:
    kept = without_empty(state)
    assert isinstance(kept, dict)
    return kept


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInput("expected a version", path=(VERSION,))
    return int(text)


def _form_page(form: Draft, request: Request, client: Client) -> Response:
    fields = form_fields(form.kind, form.state, form.errors)
    wrong = [each for one in fields for each in one.below() if each.errors]
    shown = {
        **around(Address(request.url.path), None, session(client)),
        "title": f"Preview: {label_of(form.command)}" if form.preview else label_of(form.command),
        "form": form,
        "about": form.kind.description,
        "fields": fields,
        "wrong": wrong,
        "choices": _replacements() if form.command == CORRECT else (),
        "statuses": _statuses(form.preview),
        "suggestions": suggestions(fields),
        "sent": [*fields_of(_cleaned(form.state))] if form.preview else [],
        "written": written,
        "meaningful_fields": meaningful_fields,
        "path_in_words": path_in_words,
    }
    status = FORM_REFUSED if wrong or form.problems else 200
    return html_response("record/form.html", shown, status=status)


def _statuses(preview: Mapping[str, Any] | None) -> StatusTable | None:
    """The drawing of the statuses that would change."""
    return status_table(preview["statusChanges"], clock.today()) if preview else None


def suggestions(fields: Sequence[Field]) -> dict[str, list[tuple[str, str]]]:
    """The lists of which fields suggest items: the key and the name of each."""
    known = {
        "commodities": [(str(of), of.name) for of in commodities()],
        "places": [(str(of), of.name) for of in places()],
    }
    wanted = {each.suggestions for field in fields for each in field.below()}
    return {name: items for name, items in known.items() if name in wanted}


def _index() -> dict[str, Any]:
    known = [(name, label_of(name), kind.description) for name, kind in commands().items()]
    return {
        "title": "Record",
        "usual": sorted((one for one in known if one[0] in USUAL), key=lambda o: USUAL.index(o[0])),
        "others": [one for one in known if one[0] not in USUAL],
    }


def _replacements() -> list[tuple[str, str]]:
    """What a correction may record instead, by name."""
    return [(name, label_of(name)) for name in commands() if name not in (RETRACT, CORRECT)]
