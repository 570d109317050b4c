"""Forms for recording: authorised users, a preview, and errors at their fields."""

import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.pages.forms.form import FactForm
from schema.pages.forms.state import fields_of, read_state
from schema.services import Access, Services
from tests.support.api import Api, control, suspension
from tests.support.cases import each_case
from tracker.errors import InvalidInput

OWN = {"Sec-Fetch-Site": "same-origin"}
SOURCE = {
    "source.publisher": "mofcom",
    "source.name": "MOFCOM notice",
    "source.publishedOn": "2025-11-09",
    "source.checked": "PAGE",
}
SUSPENSION = {
    "id": "x",
    "on": "2025-11-09",
    "clauses.0": "1",
    "suspendedFrom": "2025-11-09",
    "suspendedUntil": "2026-11-27",
    **SOURCE,
}


@pytest.fixture
async def api(services: Services) -> Api:
    """Run an application with open writes, with one control."""
    made = Api(services)
    await made.do("announceExportControl", control())
    return made


async def send(api: Api, command: str, fields: dict[str, str], **headers: str) -> Any:
    """Return the response to a form."""
    return await api.request("POST", f"/record/{command}", data=fields, headers={**OWN, **headers})


def hidden(html: str) -> dict[str, str]:
    """Return the hidden fields of the recording form."""
    form = html[html.index(">Preview<") : html.index(">Record this<")]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: unescape(value) for name, value in found}


def error_at(html: str, field: str) -> list[str]:
    """Return the error of a field, as referenced by the field."""
    [control] = re.findall(rf'<\w+ [^>]*id="field-{re.escape(field)}"[^>]*>', html)
    names = re.findall(r'aria-describedby="([^"]*)"', control)
    found = re.findall(rf'id="(field-{re.escape(field)}-error)">([^<]*)<', html)
    assert all(id in names[0].split() for id, _ in found)
    return [unescape(text) for _, text in found]


async def test_a_suspension_is_previewed_and_then_recorded(api: Api) -> None:
    page = await send(api, "suspendExportControl", {**SUSPENSION, "do": "preview"})
    assert page.status_code == 200
    assert await api.services.recorder.head() == 1
    text = " ".join(re.sub(r"<[^>]*>", " ", page.text).split())
    assert "clause 1 is suspended from 9 November 2025 until 27 November 2026" in text
    now, then = re.findall(r'<svg role="img" aria-label="([^"]*)"', page.text)
    assert now.startswith("in force from 3")
    assert "suspended" in then
    assert "suspended" not in now
    made = await send(api, "suspendExportControl", {**hidden(page.text), "do": "record"})
    assert (made.status_code, made.headers["location"]) == (303, "/events/2")
    data = await api.ask(
        '{ asOf(validAt: "2026-01-01") { exportControl(id: "x") { clauses { status } } } }'
    )
    assert data["asOf"]["exportControl"]["clauses"] == [{"status": "SUSPENDED"}]


async def test_a_form_that_is_sent_twice_records_once(api: Api) -> None:
    page = await send(api, "suspendExportControl", {**SUSPENSION, "do": "preview"})
    fields = {**hidden(page.text), "do": "record"}
    found = [await send(api, "suspendExportControl", fields) for _ in range(2)]
    assert {(one.status_code, one.headers["location"]) for one in found} == {(303, "/events/2")}
    assert await api.services.recorder.head() == 2


async def test_facts_that_others_record_meanwhile_are_previewed_again(api: Api) -> None:
    page = await send(api, "suspendExportControl", {**SUSPENSION, "do": "preview"})
    act = {"id": "x", "on": "2025-01-01", "source": suspension()["source"]}
    await api.do("disputeExportControl", {**act, "account": "It never was."})
    again = await send(api, "suspendExportControl", {**hidden(page.text), "do": "record"})
    assert (again.status_code, await api.services.recorder.head()) == (422, 2)
    assert "The data have changed since this page was loaded" in again.text
    assert hidden(again.text)["version"] == "2"


@each_case(
    ("changed", "field", "says"),
    [
        ({"suspendedUntil": "2025-01-01"}, "suspendedUntil", "before"),
        ({"on": "2025-13-01"}, "on", "2025-13-01"),
        ({"on": ""}, "on", "expected a value"),
        ({"clauses.0": "7"}, "clauses.0", "7"),
        ({"id": "y"}, "id", "There is no export-control/y"),
        ({"source.publishedOn": ""}, "source.publishedOn", "expected a value"),
        ({"source.checked": "GUESS"}, "source.checked", "expected one of these"),
        (dict.fromkeys(SOURCE, ""), "source", "source"),
    ],
)
async def test_errors_are_shown_at_their_field(
    api: Api, changed: dict[str, str], field: str, says: str
) -> None:
    page = await send(api, "suspendExportControl", {**SUSPENSION, **changed, "do": "preview"})
    assert (page.status_code, await api.services.recorder.head()) == (422, 1)
    assert says in "".join(error_at(page.text, field))
    assert f'<a href="#field-{field}">' in page.text  # in the summary
    assert "Record this" not in page.text
    assert 'value="MOFCOM notice"' in page.text or field == "source"


async def test_lists_grow_and_shrink_without_scripts(api: Api) -> None:
    fields = {"clauses.0": "1", "source.name": "kept"}
    page = await send(api, "suspendExportControl", {**fields, "add": "clauses"})
    assert 'name="clauses.1"' in page.text
    assert 'value="kept"' in page.text
    page = await send(
        api, "suspendExportControl", {**fields, "clauses.1": "2", "remove": "clauses.0"}
    )
    assert 'name="clauses.0" value="2"' in page.text
    assert 'name="clauses.1"' not in page.text
    page = await send(api, "announceExportControl", {"clauses.0.id": "1", "add": "clauses"})
    assert 'name="clauses.1.measure"' in page.text
    page = await send(api, "announceExportControl", {"clauses.0.id": "1", "add": "clauses.0.items"})
    assert 'name="clauses.0.items.0.name"' in page.text


ANNOUNCED = {
    "id": "new",
    "on": "2025-02-04",
    "issuer": "CN",
    "direction": "EXPORT",
    "title": "Tungsten and four others",
    "clauses.0.id": "1",
    "clauses.0.measure": "LICENCE",
    "clauses.0.commodities.0": "tungsten",
    "clauses.0.commodities.1": "",
    "clauses.0.commodities.2": "tellurium",
    "clauses.0.inForceFrom": "2025-02-04",
    "clauses.0.quota.value": "12.5",
    "clauses.0.quota.unit": "t",
    "clauses.0.entityCount": "3",
    "clauses.0.itemsComplete": "false",
}
OTHERS = [
    ("announceExportControl", ANNOUNCED),
    ("reinstateExportControl", {"id": "x", "on": "2026-01-01", "reinstatedFrom": "2026-02-01"}),
    (
        "recordAnnouncement",
        {
            "id": "a",
            "on": "2025-07-01",
            "kind": "COMMITMENT",
            "title": "A promise",
            "actors.0": "US",
            "amounts.0.label": "funds",
            "amounts.0.quantity.value": "1000000",
            "amounts.0.quantity.unit": "USD",
            "note": "Two\r\nlines",
        },
    ),
    (
        "recordFigure",
        {
            "series.commodity": "rare_earths",
            "series.place": "CN",
            "series.statistic": "PRODUCTION",
            "series.stage": "MINE",
            "series.period": "2023",
            "edition": "MCS 2024",
            "quantity.value": "240000",
            "quantity.unit": "t",
            "quantity.estimated": "true",
        },
    ),
]


async def test_the_commands_that_editors_use_most_record_what_the_forms_say(api: Api) -> None:
    await api.do("suspendExportControl", suspension())
    for command, fields in OTHERS:
        head = await api.services.recorder.head()
        page = await send(api, command, {**fields, **SOURCE, "do": "preview"})
        assert page.status_code == 200, page.text
        made = await send(api, command, {**hidden(page.text), "do": "record"})
        assert (made.status_code, made.headers["location"]) == (303, f"/events/{head + 1}")
    events = await api.ask("{ events(first: 9) { nodes { data annexes { text } } } }")
    *_, announced, _, made, claim = events["events"]["nodes"]
    [clause] = announced["data"]["clauses"]
    assert clause["commodities"] == ["tungsten", "tellurium"]
    assert (clause["quota"]["value"], clause["entityCount"]) == ("12.5", 3)
    assert made["annexes"] == [{"text": "Two\nlines"}]
    assert (claim["data"]["quantity"]["estimated"], claim["data"]["series"]["period"]) == (
        True,
        2023,
    )


async def test_an_event_is_retracted_after_a_preview(api: Api) -> None:
    made = await api.do("suspendExportControl", suspension())
    fields = {"eventId": made["eventId"], "reason": "It was misread.", **SOURCE}
    page = await api.request("GET", f"/record/retractEvent?eventId={made['eventId']}")
    assert "suspended from 9 November 2025" in page.text
    page = await send(api, "retractEvent", {**fields, "do": "preview"})
    recorded = await send(api, "retractEvent", {**hidden(page.text), "do": "record"})
    assert recorded.headers["location"] == "/events/3"


async def test_a_correction_begins_with_what_the_event_says(api: Api) -> None:
    said = suspension("x", "1", note="As reported")
    made = await api.do("suspendExportControl", said)
    page = await api.request("GET", f"/record/correctEvent?eventId={made['eventId']}")
    fields = form_values(page.text)
    name = "replacement.suspendExportControl"
    assert fields[f"{name}.suspendedUntil"] == "2026-11-27"
    assert fields[f"{name}.note"] == "As reported"
    assert fields[f"{name}.source.checked"] == "PAGE"
    assert "replacement.announceExportControl" not in page.text  # only the event's own data
    fields |= {f"{name}.suspendedUntil": "2025-01-01", "reason": "Misread", **SOURCE}
    wrong = await send(api, "correctEvent", {**fields, "do": "preview"})
    assert error_at(wrong.text, f"{name}.suspendedUntil")
    fields[f"{name}.suspendedUntil"] = "2027-01-31"
    page = await send(api, "correctEvent", {**fields, "do": "preview"})
    recorded = await send(api, "correctEvent", {**hidden(page.text), "do": "record"})
    assert recorded.headers["location"] == "/events/4"
    data = await api.ask(
        '{ asOf(validAt: "2026-01-01") { exportControl(id: "x") { clauses { suspendedUntil } } } }'
    )
    assert data["asOf"]["exportControl"]["clauses"] == [{"suspendedUntil": "2027-01-31"}]


async def test_the_fact_that_a_correction_records_is_chosen(api: Api) -> None:
    page = await api.request("GET", "/record/correctEvent")
    assert '<select id="choice" name="choice">' in page.text
    page = await send(api, "correctEvent", {"eventId": "e", "choice": "recordFigure"})
    assert 'name="replacement.recordFigure.series.commodity"' in page.text
    assert form_values(page.text)["eventId"] == "e"
    page = await send(api, "correctEvent", {"eventId": "e", "choice": "nothing"})
    assert page.status_code == 400


def form_values(html: str) -> dict[str, str]:
    """Return the values filled into a page's form."""
    found = dict(re.findall(r'<input [^>]*name="([^"]+)" value="([^"]+)"', html))
    found |= dict(re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>([^<]+)<', html))
    chosen = r'<select [^>]*name="([^"]+)"[^>]*>(?:(?!</select>).)*?value="(\w+)" selected'
    found |= dict(re.findall(chosen, html, re.S))
    return {name: unescape(value) for name, value in found.items()}


async def test_every_event_can_be_corrected_from_its_own_words(read_services: Services) -> None:
    api = Api(read_services)
    seen = set()
    page = (
        "query ($after: Position!) { events(first: 200, after: $after) { nodes { eventId type } } }"
    )
    found = [await api.ask(page, after=str(after)) for after in range(0, 800, 200)]
    for event in (event for answer in found for event in answer["events"]["nodes"]):
        if event["type"] in seen or event["type"].endswith((".Retracted", "Import.Recorded")):
            continue
        seen.add(event["type"])
        asked = {"eventId": event["eventId"]}
        page = await api.request("GET", "/record/correctEvent", params=asked)
        fields = form_values(page.text)
        fields |= {"reason": "To see that it stays the same", **SOURCE}
        page = await send(api, "correctEvent", {**fields, "do": "preview"})
        assert page.status_code == 200, (event, re.findall(r"<li><a href=.#field.*", page.text))
        assert "its content stays the same" in page.text, (
            event,
            re.findall(r'<th scope="row">.*', page.text),
        )
    assert len(seen) > 10


async def test_a_form_of_another_site_is_refused(api: Api) -> None:
    fields = {**SUSPENSION, "do": "record"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        answer = await send(api, "suspendExportControl", fields, **headers)
        assert answer.status_code == 403
    answer = await api.request("POST", "/record/suspendExportControl", data=fields)
    assert answer.status_code == 403  # without a source
    assert await api.services.recorder.head() == 1


async def test_forms_are_for_those_who_may_record(services: Services) -> None:
    api = Api(services, Access(token="secret"))
    html = {"Accept": "text/html"}
    for path in ("/record", "/record/suspendExportControl"):
        answer = await api.request("GET", path, headers=html)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/sign-in?next={path}"
        token = {"Authorization": "Bearer secret"}
        answer = await api.request("GET", path, headers=html | token)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")


async def test_signed_in_readers_record_only_from_our_own_pages(api: Api) -> None:
    shut = Api(api.services, Access(token="secret"))
    signed = await shut.request("POST", "/sign-in", data={"token": "secret"}, headers=OWN)
    cookie = {"Cookie": signed.headers["set-cookie"].partition(";")[0]}
    page = await send(shut, "suspendExportControl", {**SUSPENSION, "do": "preview"}, **cookie)
    assert page.status_code == 200
    fields = {**hidden(page.text), "do": "record"}
    foreign = {**cookie, "Sec-Fetch-Site": "cross-site", "Accept": "text/html"}
    refused = await send(shut, "suspendExportControl", fields, **foreign)
    assert refused.status_code in (401, 403)  # the cookie does not count there
    assert await api.services.recorder.head() == 1
    made = await send(shut, "suspendExportControl", fields, **cookie)
    assert made.headers["location"] == "/events/2"


@each_case(
    ("path", "link"),
    [
        ("/controls/x", "suspendExportControl?id=x"),
        ("/controls/x?valid=2025-01-01&position=1", "suspendExportControl?id=x"),
        ("/events/1", "correctEvent?eventId="),
        ("/events/1", "retractEvent?eventId="),
    ],
)
async def test_only_those_who_may_record_see_links_to_forms(api: Api, path: str, link: str) -> None:
    shut = Api(api.services, Access(token="secret"))
    editor = {"Authorization": "Bearer secret"}
    for headers, sees in ((editor, True), ({}, False), (editor, True), ({}, False)):
        page = await shut.request("GET", path, headers=headers)
        assert page.status_code == 200
        assert (f"/record/{link}" in page.text) == sees
        assert page.headers["cache-control"].startswith("private" if sees else "public")
        assert ("/record" in page.text) == sees


@each_case(
    ("path", "status"),
    [
        ("/record/nothing", 404),
        ("/record/ifVersion", 404),
        ("/record/suspendExportControl?colour=blue", 400),
        ("/record/suspendExportControl?clauses.x=1", 413),
        ("/record/correctEvent?eventId=none", 404),
    ],
)
async def test_a_form_that_there_is_not_is_a_page_that_says_so(
    api: Api, path: str, status: int
) -> None:
    answer = await api.request("GET", path)
    assert answer.status_code == status
    assert "<h1>" in answer.text


async def test_form_values_are_text_and_never_markup(api: Api) -> None:
    bad = "\"><script>alert('1')</script>"
    page = await send(api, "suspendExportControl", {**SUSPENSION, "note": bad, "do": "preview"})
    assert "<script>alert" not in page.text
    assert hidden(page.text)["note"] == bad


NAMES = st.sampled_from(
    ["id", "on", "clauses", "source", "items", "0", "1", "-1", "7", "", "hs", "quota", "value", "x"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=14).map(".".join)


@given(
    st.lists(st.tuples(PATHS, st.text(max_size=5)), max_size=6),
    st.sampled_from(["add", "remove"]),
    PATHS,
)
def test_whatever_fields_a_form_has_it_is_read_or_refused(
    pairs: list[tuple[str, str]], pressed: str, path: str
) -> None:
    try:
        form = FactForm.read("announceExportControl", pairs, {pressed: path})
    except InvalidInput:
        return
    form.input()
    assert {field.name for field in form.all_fields} >= {"id", "source.name"}
    assert read_state(form.kind, fields_of(form.state)).keys() <= form.kind.fields.keys()


async def test_every_command_has_a_form(api: Api) -> None:
    index = (await api.request("GET", "/record")).text
    names = re.findall(r'href="/record/(\w+)"', index)
    inputs = await api.ask('{ __type(name: "CommandInput") { inputFields { name } } }')
    told = {field["name"] for field in inputs["__type"]["inputFields"]} - {"ifVersion"}
    assert set(names) == told
    for name in names:
        page = await api.request("GET", f"/record/{name}")
        assert page.status_code == 200
        ids = re.findall(r' id="([^"]+)"', page.text)
        assert len(ids) == len(set(ids)), name
