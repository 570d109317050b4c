"""Requests of subscriptions: refused fields, and the mail that asks for a confirmation."""

from urllib.parse import quote, urlencode

import pytest

from schema.pages.check import check
from schema.pages.controls import controls
from schema.pages.events import events
from schema.pages.figures import figures
from schema.pages.search import search
from schema.pages.site.page import Page
from tests.alerts.conftest import ADDRESS, OWN, Reader
from tests.support.cases import each_case
from tests.support.mail_server import link_in, quiet, text_of
from tracker.alerts import store

GALLIUM = "/commodities/gallium"


@each_case(
    ("fields", "message"),
    [
        ({"address": "ann"}, "expected an e-mail address"),
        ({"address": "ann@example.org\nBcc: x@example.org"}, "expected an e-mail address"),
        ({"address": "a..b@example.org"}, "expected an e-mail address"),
        ({"frequency": "hourly"}, "expected one of immediate, daily, weekly"),
        ({"timeZone": "Mars/Olympus"}, "expected a time zone"),
        ({"target": "/about"}, "this page has no changes"),
        ({"target": "/nowhere"}, "no page has this address"),
        ({"target": "https://example.org/controls"}, "such as /controls"),
        ({"target": "//["}, "path and query of a page of this site"),
        ({"timeZone": "localtime"}, "expected a time zone"),
        ({"timeZone": "Factory"}, "expected a time zone"),
        ({"target": "/commodities/unobtainium"}, "is not a commodity"),
        ({"target": "/commodities/GALLIUM"}, "is not a commodity"),
        ({"target": "/commodities/gallium.json"}, "is not a commodity"),
        ({"target": "/commodities/gal%0d%0alium"}, "is not a commodity"),
        ({"target": "/places/XX"}, "is not a place"),
        ({"target": "/places/e-u"}, "is not a place"),
        ({"target": "/controls?commodity=unobtainium"}, "is not a commodity"),
        ({"target": "/controls?issuer=ZZ"}, "is not a place"),
        ({"target": "/search?q=%00"}, "expected at least one letter"),
        ({"target": "/controls/nope"}, "No export control nope is recorded"),
        ({"target": "/figures/nope"}, "target: "),
        ({"target": "/events?types=Bogus.Type"}, "is not an event type"),
        ({"target": "/events?entity=nope"}, "is not an entity"),
        ({"target": "/sources/mofcom"}, "target: "),
        ({"target": "/check?commodity=unobtainium&to=US"}, "is not a commodity"),
        ({"target": "/controls?firm=x"}, "cannot be narrowed by"),
        ({"target": "/check"}, "expected a shipment"),
        ({"target": "/controls?nothing=1"}, "nothing"),
    ],
)
async def test_a_wrong_field_is_named_and_sends_nothing(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], message: str
) -> None:
    monkeypatch.setattr(store, "MAX_REQUESTS", 10_000)
    values = {"target": GALLIUM, **fields}
    response = await reader.request(**values)
    assert response.status_code == 422
    assert message in response.text
    assert "Traceback" not in response.text
    await quiet(0.05)
    assert not reader.box.contents


async def test_a_form_of_another_site_requests_nothing(reader: Reader) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://example.net"}
    for path in ("/alerts", "/alerts/links"):
        response = await reader.post(
            path, headers, address=ADDRESS, target=GALLIUM, frequency="daily"
        )
        assert response.status_code == 403


@each_case("field", ["target", "address", "frequency"])
async def test_a_repeated_field_is_refused(reader: Reader, field: str) -> None:
    pairs = [("target", GALLIUM), ("address", ADDRESS), ("frequency", "daily")]
    repeated = [*pairs, *(pair for pair in pairs if pair[0] == field)]
    headers = {**OWN, "Content-Type": "application/x-www-form-urlencoded"}
    response = await reader.api.request(
        "POST", "/alerts", content=urlencode(repeated), headers=headers
    )
    assert response.status_code == 422
    assert f"{field}: expected once" in response.text


FREE_TEXT = "Your account is locked. Pay at https://evil.example/x"


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("/search?commodity=gallium&q=", "Search on this site (Gallium)"),
        ("/events?search=", "Events of the log"),
        ("/events?commodity=gallium&entity=alliance/", "Events of the log (Gallium)"),
        ("/check?commodity=gallium&to=US&endUser=", "Shipment: Gallium, to the United States"),
    ],
)
async def test_a_confirmation_has_no_free_text_of_the_requester(
    reader: Reader, page: str, kind: str
) -> None:
    assert (await reader.request(page + quote(FREE_TEXT))).status_code == 303
    [message] = await reader.box.wait_for(1)
    assert message["Subject"] == f"Confirm alerts: {kind}"
    text = text_of(message)
    html = message.get_body(("html",))
    assert html is not None
    for each in (text, html.get_content(), str(reader.box.contents[0])):
        assert "evil" not in each
        assert "locked" not in each
    assert kind in " ".join(text.split())
    assert "evil.example" in (await reader.get(link_in(message, "/alerts/confirm"))).text


@pytest.mark.parametrize(
    "page", [check.PAGE, controls.PAGE, events.PAGE, search.PAGE, figures.PAGE]
)
async def test_no_parameter_of_a_page_brings_text_into_a_confirmation(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, page: Page
) -> None:
    monkeypatch.setattr(store, "MAX_REQUESTS_OF_ADDRESS", 100)
    monkeypatch.setattr(store, "MAX_REQUESTS", 10_000)
    others = {"/check": {"commodity": "gallium", "destination": "US"}, "/search": {"q": "x"}}
    accepted = 0
    for name in {*page.parameters, *page.texts}:
        for value in ("evil.example", "EVIL,CN", "evil:evil", "alliance/evil"):
            query = {**others.get(page.path, {}), name: value}
            response = await reader.request(f"{page.path}?{urlencode(query)}")
            assert response.status_code in (303, 422), (name, value)
            accepted += response.status_code == 303
    await reader.box.wait_for(accepted)
    assert accepted or page in (controls.PAGE, figures.PAGE), "these have keys only"
    for message in reader.box.messages:
        assert "evil" not in f"{message['Subject']} {text_of(message)}".lower()
    assert all(b"evil" not in content.lower() for content in reader.box.contents)
