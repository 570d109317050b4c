"""Endpoints of chats get a sentence and a link for each event, within the limits of Slack and Teams."""

import asyncio
import json
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.deliveries import ADMIN, QUICK, DeliveryFixture, delivering
from tests.support.event_receiver import SECONDS, Delivered
from tests.support.fact_builders import announced, retracted, suspended
from tests.support.libraries import jsonschema
from tracker.delivery.chat import ChatLine, shortened, slack_body, teams_body
from tracker.delivery.endpoint import EndpointFormat, NewEndpoint
from tracker.errors import InvalidInput
from tracker.postgres.database import Target

SITE = "http://localhost"
SLACK = {
    "type": "object",
    "required": ["text", "blocks"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 40_000},
        "blocks": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "type": "object",
                "required": ["type", "text", "fields"],
                "additionalProperties": False,
                "properties": {
                    "type": {"const": "section"},
                    "text": {
                        "type": "object",
                        "required": ["type", "text", "emoji"],
                        "additionalProperties": False,
                        "properties": {
                            "type": {"const": "plain_text"},
                            "emoji": {"const": False},
                            "text": {"type": "string", "minLength": 1, "maxLength": 3_000},
                        },
                    },
                    "fields": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1,
                        "items": {
                            "required": ["type", "text", "verbatim"],
                            "properties": {
                                "type": {"const": "mrkdwn"},
                                "verbatim": {"const": True},
                                "text": {
                                    "type": "string",
                                    "pattern": r"^<https?://[^|>]+\|Event \d+>$",
                                    "maxLength": 2_000,
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}
RICH_TEXT = {
    "required": ["type", "inlines"],
    "properties": {
        "type": {"const": "RichTextBlock"},
        "inlines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["type", "text"],
                "properties": {"type": {"const": "TextRun"}, "text": {"type": "string"}},
            },
        },
    },
}
TEXT_BLOCK = {
    "required": ["type", "text"],
    "properties": {
        "type": {"const": "TextBlock"},
        "text": {"type": "string", "pattern": r"^\[Event \d+\]\(https?://[^ )]+\)$"},
        "wrap": {"const": True},
    },
}
TEAMS = {
    "type": "object",
    "required": ["type", "attachments"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "required": ["contentType", "content"],
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": {
                        "required": ["type", "version", "body"],
                        "properties": {
                            "type": {"const": "AdaptiveCard"},
                            "version": {"enum": ["1.2", "1.3", "1.4"]},
                            "body": {
                                "type": "array",
                                "minItems": 2,
                                "items": {"oneOf": [RICH_TEXT, TEXT_BLOCK]},
                            },
                        },
                    },
                },
            },
        },
    },
}
SENTENCES = [
    "China announces: Gallium & <!channel> (ban, exports of gallium; from 3 December 2024 on).",
    "Gallium & <!channel>: all clauses are suspended from 9 November 2025 until 27 November 2026.",
    "Retracted: “Gallium & <!channel>: all clauses are suspended from 9 November 2025 until 27 November"
    " 2026.” Reason: misread.",
]
lines = st.builds(
    lambda text, position: ChatLine(
        text, f"Event {position}", f"https://minerals.example.com/events/{position}"
    ),
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.builds(
            lambda word, count: word * count,
            st.sampled_from(["<&>", "镓 ", "a", '"\\', "\x01", "🧲"]),
            st.integers(0, 20_000),
        ),
    ),
    st.integers(1, 2**63 - 1),
)


def slack(one: Delivered) -> list[str]:
    """Return the texts of the blocks of a valid message for Slack, each with its link."""
    [body] = one.events
    jsonschema.validate(body, SLACK)
    texts = [f"{block['text']['text']} {block['fields'][0]['text']}" for block in body["blocks"]]
    assert len(body["text"].split("\n")) == len(texts)
    return texts


def teams(one: Delivered) -> list[tuple[str, str]]:
    """Return the sentences and links of a valid message for Teams."""
    [body] = one.events
    return card_lines(body)


def card_lines(body: Any) -> list[tuple[str, str]]:
    """Return the sentences and links of a valid card."""
    jsonschema.validate(body, TEAMS)
    items = body["attachments"][0]["content"]["body"]
    sentences = ["".join(run["text"] for run in item["inlines"]) for item in items[::2]]
    return list(zip(sentences, [item["text"] for item in items[1::2]], strict=True))


async def sent(deliveries: DeliveryFixture, count: int, name: str = "a") -> list[Delivered]:
    """Wait for so many accepted requests, and return them."""
    accepted = deliveries.receiver.accepted
    await deliveries.receiver.wait_for(lambda: len(accepted[name]) >= count)
    assert len(accepted[name]) == count
    return accepted[name]


async def record_three(deliveries: DeliveryFixture) -> None:
    """Record an export control, its suspension, and the retraction of the suspension."""
    stream = "export-control/a"
    await deliveries.commands.record(stream, announced(title="Gallium & <!channel>"))
    await deliveries.commands.record(stream, suspended())
    [_, suspension] = await deliveries.recorder.read(0)
    await deliveries.commands.record(stream, retracted(suspension.event_id))


async def test_slack_gets_each_event_as_a_sentence_with_a_link_in_order(target: Target) -> None:
    async with delivering(target) as deliveries:
        await record_three(deliveries)
        await deliveries.add(after=0, format=EndpointFormat.SLACK, with_hmac=True)
        texts = [slack(one) for one in await sent(deliveries, 3)]
        assert texts == [
            [f"{sentence} <{SITE}/events/{position}|Event {position}>"]
            for position, sentence in enumerate(SENTENCES, 1)
        ]
        got = deliveries.receiver.got
        assert {one.media_type for one in got} == {"application/json"}
        assert [one.signatures for one in got] == [["v1", "v1a"]] * 3
        assert deliveries.receiver.asked == []  # chats answer no handshake


async def test_teams_gets_a_card_with_the_sentences_of_a_batch(target: Target) -> None:
    async with delivering(target) as deliveries:
        await record_three(deliveries)
        await deliveries.add(after=0, format=EndpointFormat.TEAMS, max_batch_events=20)
        [one] = await sent(deliveries, 1)
        links = [f"[Event {position}]({SITE}/events/{position})" for position in (1, 2, 3)]
        assert teams(one) == list(zip(SENTENCES, links, strict=True))
        assert one.id.endswith("~3")


async def test_links_of_messages_lead_to_the_address_of_the_settings(target: Target) -> None:
    options = replace(QUICK, site="https://minerals.example.com")
    async with delivering(target, options) as deliveries:
        await record_three(deliveries)
        await deliveries.add(after=2, format=EndpointFormat.SLACK)
        [one] = await sent(deliveries, 1)
        assert slack(one)[0].endswith(" <https://minerals.example.com/events/3|Event 3>")


async def test_a_limited_chat_gets_the_same_messages_again_in_order(target: Target) -> None:
    async def behave(_: Delivered) -> web.Response | int:
        first = len(deliveries.receiver.got) <= 3
        return web.Response(status=503) if first else 200

    async with delivering(target) as deliveries:
        deliveries.receiver.behave = behave
        await record_three(deliveries)
        await deliveries.add(after=0, format=EndpointFormat.SLACK, max_batch_events=3)
        accepted = deliveries.receiver.accepted["a"]
        await deliveries.receiver.wait_for(
            lambda: "/events/3|" in "".join(text for one in accepted for text in slack(one))
        )
        tried = [len(slack(one)) for one in deliveries.receiver.got]
        assert tried[:3] == [3, 1, 1]  # half as many events after a failure
        texts = [text for one in accepted for text in slack(one)]
        positions = [text.rpartition("/events/")[2].partition("|")[0] for text in texts]
        assert positions == ["1", "2", "3"]


async def test_a_replay_sends_messages_again(target: Target) -> None:
    async with delivering(target) as deliveries:
        await record_three(deliveries)
        await deliveries.add(after=0, format=EndpointFormat.TEAMS)
        first = list(await sent(deliveries, 3))

        async with asyncio.timeout(SECONDS):
            while (await deliveries.get()).position < 3:
                await asyncio.sleep(0.02)
        await deliveries.endpoints.replay("a", ADMIN, 2, None)
        again = (await sent(deliveries, 5))[3:]
        assert [(one.id, teams(one)) for one in again] == [
            (one.id, teams(one)) for one in first[1:]
        ]


async def test_the_address_of_a_chat_is_a_secret_and_only_its_host_is_visible(
    target: Target,
) -> None:
    async with delivering(target) as deliveries:
        endpoint = await deliveries.add("secret", format=EndpointFormat.SLACK)
        assert endpoint.shown_url == f"{deliveries.receiver.url}/…"
        [added] = await deliveries.endpoints.changes("secret", ADMIN, 10)
        assert added.detail == f"{deliveries.receiver.url}/… after 0"
        plain = await deliveries.add("plain")
        assert plain.shown_url == f"{deliveries.receiver.url}/plain?…"


@each_case(
    ("options", "path"),
    [
        ({"format": EndpointFormat.SLACK, "max_batch_events": 51}, "maxBatchEvents"),
        ({"format": EndpointFormat.TEAMS, "max_batch_events": 21}, "maxBatchEvents"),
        ({"format": EndpointFormat.SLACK, "with_proof": True}, "withProof"),
        ({"format": EndpointFormat.TEAMS, "with_proof": True}, "withProof"),
    ],
)
def test_options_that_a_chat_has_no_room_for_are_refused(
    options: dict[str, Any], path: str
) -> None:
    wanted = NewEndpoint("https://hooks.example.com/services/a", **options)
    with pytest.raises(InvalidInput, match=options["format"].name) as caught:
        wanted.check()
    assert caught.value.path == (path,)


def test_the_largest_batches_are_within_the_options() -> None:
    for format, events in ((EndpointFormat.SLACK, 50), (EndpointFormat.TEAMS, 20)):
        url = "https://hooks.example.com/services/a"
        NewEndpoint(url, format=format, max_batch_events=events).check()


@given(st.lists(lines, min_size=1, max_size=50))
def test_every_message_to_slack_is_within_its_limits(batch: list[ChatLine]) -> None:
    body = json.loads(slack_body(batch))
    jsonschema.validate(body, SLACK)
    assert len(body["blocks"]) == len(batch)
    for block, line in zip(body["blocks"], batch, strict=True):
        assert block["fields"][0]["text"] == f"<{line.link}|{line.label}>"
        assert_beginning(line.text or "…", block["text"]["text"], short=100)


@given(st.lists(lines.filter(lambda line: "\n" not in line.text), min_size=1, max_size=50))
def test_the_text_for_programs_without_blocks_begins_no_mention(batch: list[ChatLine]) -> None:
    body = json.loads(slack_body(batch))
    assert len(body["text"]) <= 40_000
    for text, line in zip(body["text"].split("\n"), batch, strict=True):
        link = f" <{line.link}|{line.label}>"
        assert text.endswith(link)
        sentence = text.removesuffix(link)
        assert not {"<", ">"} & {*sentence}
        assert_beginning(line.text, unescape(sentence), short=100)


def test_slack_formats_no_part_of_a_sentence() -> None:
    sentence = "Announcement of *bold*, _it_, ~s~, `c`, :skull: and <!channel>."
    [block] = json.loads(slack_body([ChatLine(sentence, "Event 1", f"{SITE}/events/1")]))["blocks"]
    assert block["text"] == {"type": "plain_text", "text": sentence, "emoji": False}


@given(st.lists(lines, min_size=1, max_size=20))
def test_every_message_to_teams_is_within_its_limits(batch: list[ChatLine]) -> None:
    body = teams_body(batch)
    assert len(body) <= 28_000
    sent_lines = card_lines(json.loads(body))
    assert [link for _, link in sent_lines] == [f"[{of.label}]({of.link})" for of in batch]
    for (sentence, _), line in zip(sent_lines, batch, strict=True):
        assert_beginning(line.text, sentence, short=100)


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_is_the_longest_beginning_within_its_limit(text: str, limit: int) -> None:
    short = shortened(text, limit, len)
    assert len(short) <= limit
    if len(text) <= limit:
        assert short == text
    else:
        assert short == f"{text[: limit - 1].rstrip()}…"


def assert_beginning(text: str, sentence: str, short: int) -> None:
    """Check that a sentence is a text, or the beginning of one that is not short with an ellipsis."""
    if sentence != text:
        assert len(text) > short
        assert sentence.endswith("…")
        assert text.startswith(sentence[:-1])
