"""Routes of `/record`: forms for commands, a preview of each, and recording.

A preview and a recording are one request to the API each: `preview` and `record`, with one command. The
recording expects the version that the preview was based on. The key of the form is used once.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.execution.response_cache import ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.pages.forms.fields import label_of, suggestions
from schema.pages.forms.form import CORRECT, DO, RETRACT, FactForm, commands, fact_choices
from schema.pages.forms.own_api import OwnApi
from schema.pages.forms.responses import form_page, read_fact_form, require
from schema.pages.forms.state import (
    ADD,
    REMOVE,
    State,
    edit_lists,
    fields_of,
    read_number,
    read_state,
)
from schema.pages.record.event_values import event_state
from schema.pages.record.preview_words import (
    meaningful_fields,
    path_in_words,
    status_table,
    written,
)
from schema.pages.site.html import see_other
from schema.pages.site.plain import PlainPages
from tracker import clock
from tracker.auth.scopes import Scope
from tracker.errors import InvalidInput, NotFound, ReadOnly

KEY, VERSION, CHOICE = "key", "version", "choice"
CONTROLS = frozenset({ADD, REMOVE, DO, KEY, VERSION, CHOICE})
"""Fields of a form that are not of its input."""
PREVIEW, RECORD = "preview", "record"
"""Buttons of a form."""
USUAL = (
    "announceExportControl",
    "suspendExportControl",
    "reinstateExportControl",
    "recordAnnouncement",
    "recordFigure",
    RETRACT,
    CORRECT,
)
"""Most frequent commands, first in the list."""


class Draft(FactForm):
    """A command that is previewed before it is recorded."""

    version: int | None = None
    """Version of the entity before the command, as in the preview."""
    preview: Mapping[str, Any] | None = None
    event: Mapping[str, Any] | None = None
    """Event that it retracts or corrects, on the first page."""

    def __init__(self, command: str, state: dict[str, State], key: str | None = None):
        super().__init__(command, state)
        self.key = key or str(uuid4())

    def command_input(self) -> dict[str, Any]:
        """Return the command, with the expected version if it was previewed."""
        command = {self.command: self.input()}
        if self.version is None or self.command == RETRACT:
            return command
        return {"ifVersion": {"version": self.version, "command": command}}


class RecordRoute:
    """Handler of requests for forms."""

    def __init__(self, access_control: AccessControl, answers: ResponseCache):
        self._api = OwnApi("schema.pages.record", access_control, answers)

    def routes(self, pages: PlainPages) -> Sequence[Route]:
        """Return the routes."""
        return [
            pages.route("/record", self.respond),
            pages.route("/record/{command}", self.respond, ("GET", "POST")),
        ]

    async def respond(self, request: Request, client: Client) -> Response:
        """Return the list of commands, or a form. Raises ReadOnly, Unauthenticated, Forbidden and
        NotFound."""
        if client.read_only:
            raise ReadOnly(client.read_only)
        require(Scope.RECORD, request, client)
        command = request.path_params.get("command")
        if command is None:
            return _index(request, client)
        if command not in commands():
            raise NotFound(f"there is no command {command[:100]!r}", path=("command",))
        if request.method == "POST":
            return await self._sent(command, request, client)
        form = Draft(command, read_state(commands()[command], request.query_params.multi_items()))
        id = form.state.get("eventId")
        if command in (RETRACT, CORRECT) and isinstance(id, str) and id:
            form.event = await self._event(id, client)
        if form.event and command == CORRECT and (recorded := event_state(form.event)):
            form.state.setdefault("replacement", dict([recorded]))
        return _form_page(form, request, client)

    async def _sent(self, command: str, request: Request, client: Client) -> Response:
        """Respond to a form that was sent."""
        pairs, controls = await read_fact_form(request, CONTROLS)
        state = read_state(commands()[command], edit_lists(pairs, controls))
        form = Draft(command, state, controls.get(KEY))
        if chosen := controls.get(CHOICE):
            if chosen not in dict(fact_choices()):
                raise InvalidInput("expected the name of a command", path=(CHOICE,))
            form.state["replacement"] = {chosen: {}}
        elif not {ADD, REMOVE} & controls.keys():
            if controls.get(DO) == RECORD:
                form.version = read_number(controls, VERSION)
                if answer := await self._carry_out(form, RECORD, client):
                    return see_other(f"/events/{answer['position']}")
            await self._preview(form, client)
        return _form_page(form, request, client)

    async def _preview(self, form: Draft, client: Client) -> None:
        form.version = None
        if not form.errors:
            form.preview = await self._carry_out(form, PREVIEW, client)
        if form.preview and form.preview["events"]:
            form.version = form.preview["events"][0]["version"] - 1

    async def _carry_out(self, form: Draft, document: str, client: Client) -> Any:
        """Return the result of a preview or a recording; None if it is refused."""
        variables = {"commands": [form.command_input()], "idempotencyKey": form.key}
        if form.errors:
            return None
        return (await self._api.send(document, variables, client, form)).get(document)

    async def _event(self, id: str, client: Client) -> Mapping[str, Any]:
        """Return the event of a form. Raises NotFound."""
        event: Mapping[str, Any] | None
        event = (await self._api.query("event", {"eventId": id}, client))["event"]
        if event is None:
            raise NotFound(f"There is no event {id!r}", path=("eventId",))
        return event


def _form_page(form: Draft, request: Request, client: Client) -> Response:
    label, preview = label_of(form.command), form.preview
    return form_page(
        "record/form.html",
        request,
        client,
        form=form,
        title=f"Preview: {label}" if preview else label,
        suggestions=suggestions,
        choices=fact_choices() if form.command == CORRECT else (),
        statuses=status_table(preview["statusChanges"], clock.today()) if preview else None,
        sent=[*fields_of(form.state)] if preview else [],
        written=written,
        meaningful_fields=meaningful_fields,
        path_in_words=path_in_words,
    )


def _index(request: Request, client: Client) -> Response:
    """Return the list of commands, the most frequent first."""
    items = {name: (name, label_of(name), kind.description) for name, kind in commands().items()}
    return form_page(
        "record/index.html",
        request,
        client,
        title="Record",
        usual=[items.pop(name) for name in USUAL],
        others=[*items.values()],
    )
