"""Requests, confirmations, ends and limits of subscriptions, with a real mail server."""

import asyncio
import re
from datetime import timedelta

import pytest

from deploy.bootstrap import open_connection
from tests.alerts.conftest import ADDRESS, Reader
from tests.support.mail_server import link_in, quiet, text_of
from tracker import clock
from tracker.alerts import store
from tracker.alerts.store import WIDTHS
from tracker.alerts.tokens import Purpose
from tracker.postgres.database import API, MAILER, Target

GALLIUM = "/commodities/gallium"


async def test_a_confirmed_reader_gets_one_mail_per_change_with_permanent_links(
    reader: Reader,
) -> None:
    await reader.record("before")
    await reader.subscribe()
    await reader.record("a")
    [_, digest] = await reader.box.wait_for(2)
    assert digest["Subject"] == "Gallium: 1 recorded late"
    text = text_of(digest)
    assert "events/2?valid=2026-11-29&position=2" in text
    assert "events/1?" not in text
    await quiet()
    assert len(reader.box.contents) == 2
    for path in re.findall(r"http://localhost(/\S+position=\d+\S*)", text):
        page = await reader.get(path)
        assert page.status_code == 200, path


async def test_nothing_is_sent_before_the_confirmation_and_opening_the_link_confirms_nothing(
    reader: Reader,
) -> None:
    await reader.request()
    [message] = await reader.box.wait_for(1)
    link = link_in(message, "/alerts/confirm")
    page = await reader.get(link)
    assert page.status_code == 200
    assert "<button" in page.text
    assert (await reader.api.request("HEAD", link)).status_code == 200
    await reader.record("a")
    await quiet()
    assert len(reader.box.contents) == 1
    assert (await reader.post(link)).status_code == 200
    again = await reader.post(link)
    assert again.status_code == 200, "a second click does no harm"
    assert "is confirmed" in again.text
    opened = await reader.get(link)
    assert "is confirmed" in opened.text
    assert "<button" not in opened.text.partition("<main")[2]
    await reader.record("b")
    [_, digest] = await reader.box.wait_for(2)
    assert "events/2?" in text_of(digest)
    assert "events/1?" not in text_of(digest)


@pytest.mark.parametrize("change", ["expired", "forged", "other purpose", "empty"])
async def test_a_wrong_link_confirms_nothing(reader: Reader, change: str) -> None:
    await reader.request()
    [message] = await reader.box.wait_for(1)
    token = link_in(message, "/alerts/confirm").partition("token=")[2]
    subject = token.partition(".")[0]
    signer = reader.alerts.signer
    wrong = {
        "expired": signer.token(Purpose.CONFIRM, subject, clock.now() - timedelta(seconds=1)),
        "forged": token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        "other purpose": signer.token(Purpose.UNSUBSCRIBE, subject),
        "empty": "",
    }[change]
    for send in (reader.get, reader.post):
        response = await send(f"/alerts/confirm?token={wrong}")
        assert response.status_code == 400
        assert "request a new one" in response.text
    assert (await reader.alerts.summary()).unconfirmed == 1


async def test_one_click_unsubscribes_from_anywhere_and_deletes_the_address(
    reader: Reader, target: Target
) -> None:
    await reader.subscribe()
    await reader.record("a")
    [_, digest] = await reader.box.wait_for(2)
    assert digest["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [link] = re.findall(
        r"<http://localhost(/alerts/unsubscribe\?[^>]+)>", digest["List-Unsubscribe"]
    )
    assert link in text_of(digest)
    for method in ("GET", "HEAD"):
        assert (await reader.api.request(method, link)).status_code == 200
    assert (await reader.alerts.summary()).active == 1, "GET ends nothing"
    program = {"Origin": "https://mail.example.net", "Sec-Fetch-Site": "cross-site"}
    done = await reader.post(link, program, **{"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert (await reader.post(link, program)).status_code == 200, "a repetition does no harm"
    async with open_connection(target) as connection:
        assert await connection.fetchval("SELECT count(*) FROM alerts.subscriptions") == 0
        assert await connection.fetchval("SELECT count(*) FROM alerts.outbox") == 0
    await reader.record("b")
    await quiet()
    assert len(reader.box.contents) == 2


async def test_answers_do_not_tell_whether_an_address_is_subscribed(reader: Reader) -> None:
    await reader.subscribe()
    answers = []
    for address in (ADDRESS, "nobody@example.org"):
        for form in ({"target": GALLIUM, "frequency": "daily"}, {}):
            path = "/alerts" if form else "/alerts/links"
            response = await reader.post(path, address=address, **form)
            page = await reader.get(response.headers["location"])
            answers.append((path, response.status_code, response.headers["location"], page.text))
    assert answers[:2] == answers[2:]
    messages = await reader.box.wait_for(4)
    links = [one for one in messages if one["Subject"] == "Your alerts"]
    assert [one["To"] for one in links] == [ADDRESS]


async def test_a_mailed_link_shows_and_deletes_the_subscriptions_of_its_address(
    reader: Reader,
) -> None:
    await reader.subscribe()
    await reader.subscribe("/controls?commodity=gallium", frequency="weekly", timeZone="Asia/Tokyo")
    await reader.subscribe(GALLIUM, address="bob@example.org")
    await reader.post("/alerts/links", address=ADDRESS)
    link = link_in((await reader.box.wait_for(4))[-1], "/alerts/manage")
    page = await reader.get(link)
    assert page.text.count('<input type="hidden" name="id"') == 3, "two subscriptions, and all"
    assert "weekly, time zone Asia/Tokyo" in page.text
    assert "bob" not in page.text
    [first, _, _] = re.findall(r'name="id" value="([^"]+)"', page.text)
    page = await reader.post(link, id=first)
    assert page.text.count('name="id"') == 2
    page = await reader.post(link, id="all")
    assert "No subscription is confirmed" in page.text
    assert (await reader.alerts.summary()).active == 1, "bob's stays"


async def test_a_second_subscription_to_a_page_replaces_the_first(reader: Reader) -> None:
    await reader.subscribe()
    await reader.subscribe(frequency="weekly")
    assert (await reader.alerts.summary()).active == 1


async def test_limits_hold_per_address_silently_and_per_network_openly(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = store.MAX_REQUESTS_OF_ADDRESS + 3
    monkeypatch.setattr(store, "WIDTHS", [each._replace(share=0, least=allowed) for each in WIDTHS])
    for _ in range(store.MAX_REQUESTS_OF_ADDRESS + 3):
        assert (await reader.request()).status_code == 303
    await reader.box.wait_for(store.MAX_REQUESTS_OF_ADDRESS)
    assert (await reader.request()).status_code == 429
    await quiet()
    assert len(reader.box.contents) == store.MAX_REQUESTS_OF_ADDRESS


async def test_limits_of_an_address_do_not_depend_on_the_case_of_letters(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_REQUESTS_OF_ADDRESS", 2)
    for address in ("victim@example.org", "Victim@example.org", "vIctim@EXAMPLE.org"):
        assert (await reader.request(address=address)).status_code == 303
    await reader.box.wait_for(2)
    await quiet()
    assert len(reader.box.contents) == 2


async def test_an_address_in_other_letters_finds_its_subscriptions(reader: Reader) -> None:
    await reader.subscribe(address="UPPER.Case@EXAMPLE.COM")
    [message] = reader.box.messages
    assert message["To"] == "UPPER.Case@example.com", "mail goes to the address as it was typed"
    await reader.post("/alerts/links", address="upper.case@example.com")
    [_, message] = await reader.box.wait_for(2)
    assert message["Subject"] == "Your alerts"
    assert await reader.alerts.remove_address("Upper.case@example.com") == 1


async def test_subscriptions_with_a_key_of_capitals_are_found_and_deleted(
    reader: Reader, target: Target
) -> None:
    """Earlier releases stored the key of the address as it was typed."""
    address = "Ann.Lee@example.org"
    await reader.subscribe(address=address)
    async with open_connection(target) as connection:
        key = reader.alerts.signer.key(address)
        await connection.execute("UPDATE alerts.subscriptions SET address_key = $1", key)
    await reader.post("/alerts/links", address=address)
    link = link_in((await reader.box.wait_for(2))[1], "/alerts/manage")
    assert GALLIUM in (await reader.get(link)).text
    assert await reader.alerts.remove_address(address) == 1


async def test_the_daily_limit_says_how_long_to_wait(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "WIDTHS", [each._replace(share=0, least=1) for each in WIDTHS])
    await reader.request()
    response = await reader.request()
    assert response.status_code == 429
    assert 86_000 < int(response.headers["Retry-After"]) <= 86_400
    assert "in 24 hours" in response.text


async def test_deleting_an_unknown_subscription_deletes_none_and_says_so(reader: Reader) -> None:
    await reader.subscribe()
    await reader.post("/alerts/links", address=ADDRESS)
    link = link_in((await reader.box.wait_for(2))[1], "/alerts/manage")
    page = await reader.post(link, id="00000000-0000-4000-8000-000000000000")
    assert "The subscription is deleted" not in page.text
    assert "No subscription was deleted" in page.text
    page = await reader.post(link, id="all")
    assert "Deleted subscriptions: 1" in page.text


async def test_two_clicks_at_the_same_time_confirm_once_and_have_the_same_answer(
    reader: Reader,
) -> None:
    await reader.request()
    link = link_in((await reader.box.wait_for(1))[0], "/alerts/confirm")
    answers = await asyncio.gather(*(reader.post(link) for _ in range(3)))
    assert {(each.status_code, each.text) for each in answers} == {(200, answers[0].text)}
    assert (await reader.alerts.summary()).active == 1


async def test_a_subscription_to_a_page_that_became_invalid_stops_and_says_why(
    reader: Reader, target: Target
) -> None:
    await reader.subscribe()
    async with open_connection(target) as connection:
        await connection.execute("UPDATE alerts.subscriptions SET target = '/commodities/nope'")
    await reader.record("a")
    await until_stopped(reader)
    assert len(reader.box.contents) == 1
    await reader.post("/alerts/links", address=ADDRESS)
    link = link_in((await reader.box.wait_for(2))[1], "/alerts/manage")
    assert "stopped: the page is no longer valid" in (await reader.get(link)).text


async def until_stopped(reader: Reader) -> None:
    """Wait until a subscription has stopped."""
    for _ in range(200):
        if (await reader.alerts.summary()).stopped:
            return
        await quiet(0.05)
    raise AssertionError("no subscription stopped")


async def test_the_number_of_subscriptions_is_limited(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reader.subscribe()
    object.__setattr__(reader.alerts.options, "max_subscriptions", 1)
    response = await reader.request(address="bob@example.org")
    assert response.status_code == 422
    assert "no further subscriptions" in response.text


async def test_pages_offer_alerts_only_on_a_server_with_mail(reader: Reader) -> None:
    for path in (GALLIUM, "/controls", "/check?commodity=gallium&to=US", "/search?q=gallium"):
        page = await reader.get(path)
        assert 'action="/alerts"' in page.text, path
    assert 'action="/alerts"' not in (await reader.get("/about")).text


async def test_the_api_cannot_read_an_address_and_the_mailer_cannot_read_the_log(
    reader: Reader, target: Target
) -> None:
    import asyncpg

    await reader.subscribe()
    async with open_connection(target, role=API) as connection:
        for column in ("address", "position"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT {column} FROM alerts.subscriptions")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT message FROM alerts.outbox")
    async with open_connection(target, role=MAILER) as connection:
        for table in ("log.events", "log.tokens", "projection.versions", "delivery.keys"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT * FROM {table}")


async def test_no_address_is_in_events_metrics_or_log_lines(
    reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    reader.box.refusals["eve@example.org"] = "550 eve@example.org is unknown"
    await reader.subscribe()
    await reader.request(address="eve@example.org")
    await reader.record("a")
    await reader.box.wait_for(2)
    await quiet()
    metrics = (await reader.get("/metrics")).text
    assert 'tracker_mail_subscriptions{state="active"} 1.0' in metrics
    assert 'tracker_mail_attempts_total{kind="confirmation",outcome="permanent"} 1.0' in metrics
    events = (
        await reader.api.request("GET", "/events", headers={"Accept": "application/json"})
    ).text
    lines = "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(("tracker", "schema"))
    )
    assert "550 at RCPT" in lines
    for text in (metrics, events, lines):
        assert "@example.org" not in text
