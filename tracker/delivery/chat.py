"""Messages to chats: the sentence of each event with a link to its page. Pure.

Slack and compatible programs get a text and blocks; Teams gets an Adaptive Card in the envelope of workflow
webhooks. Texts that exceed the limits of the receiver are shortened, never dropped.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from tracker.delivery.endpoint import SLACK_EVENTS, TEAMS_EVENTS, EndpointFormat
from tracker.delivery.message import Message, message_id
from tracker.domain.basics.codec import encode
from tracker.log.entries import RecordedEvent

MEDIA_TYPE = "application/json"
SLACK_BLOCK_CHARACTERS = 3_000
SLACK_TEXT_CHARACTERS = 40_000
"""Maximum length of the text that programs without blocks show."""
TEAMS_BYTES = 28_000
CARD_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
CARD_VERSION = "1.4"


class ChatLine(Struct, frozen=True):
    """The sentence of an event, with the label and the address of its page."""

    text: str
    label: str
    link: str


def chat_line(event: RecordedEvent, sentence: str, site: str) -> ChatLine:
    """Return the line of an event; `site` is the scheme and host of links."""
    text = " ".join(sentence.split())
    return ChatLine(text, f"Event {event.position}", f"{site}/events/{event.position}")


def chat_message(
    format: EndpointFormat, events: Sequence[RecordedEvent], lines: Sequence[ChatLine]
) -> Message:
    """Return the message of at least one event in the format of a chat, with a line for each."""
    first, last = events[0], events[-1]
    id = message_id(first.event_id)
    body = slack_body(lines) if format is EndpointFormat.SLACK else teams_body(lines)
    return Message(
        id if first is last else f"{id}~{last.position}",
        MEDIA_TYPE,
        body,
        first.position,
        last.position,
    )


def slack_body(lines: Sequence[ChatLine]) -> bytes:
    """Return the body of up to 50 lines for an incoming webhook of Slack."""
    assert len(lines) <= SLACK_EVENTS
    limit = min(SLACK_BLOCK_CHARACTERS, SLACK_TEXT_CHARACTERS // len(lines) - 1)
    shorter = [_slack_line(line, limit) for line in lines]
    text = "\n".join(f"{_escaped(one.text)}{_slack_link(one)}" for one in shorter)
    return encode({"text": text, "blocks": [_slack_block(one) for one in shorter]})


def teams_body(lines: Sequence[ChatLine]) -> bytes:
    """Return the body of up to 20 lines for a workflow webhook of Teams."""
    assert len(lines) <= TEAMS_EVENTS
    size = len(_card([ChatLine("", line.label, line.link) for line in lines]))
    limit = (TEAMS_BYTES - size) // len(lines)
    return _card(
        [
            ChatLine(shortened(line.text, limit, _json_bytes), line.label, line.link)
            for line in lines
        ]
    )


def shortened(text: str, limit: int, size: Callable[[str], int]) -> str:
    """Return a text whose size is within a limit: the text, or its beginning with an ellipsis."""
    if size(text) <= limit:
        return text
    fitting = bisect_right(range(len(text)), limit, key=lambda length: size(f"{text[:length]}…"))
    return f"{text[: max(fitting - 1, 0)].rstrip()}…"


def _slack_line(line: ChatLine, limit: int) -> ChatLine:
    """Return a line whose text with its link is within a limit."""
    limit -= len(_slack_link(line))
    text = shortened(line.text, limit, lambda text: len(_escaped(text)))
    return ChatLine(text, line.label, line.link)


def _slack_link(line: ChatLine) -> str:
    return f" <{line.link}|{line.label}>"


def _slack_block(line: ChatLine) -> dict[str, Any]:
    """Return the section of a line: Slack reads formats, mentions and emoji in the link only."""
    link = {"type": "mrkdwn", "text": _slack_link(line).strip(), "verbatim": True}
    text = {"type": "plain_text", "text": line.text or "…", "emoji": False}
    return {"type": "section", "text": text, "fields": [link]}


def _escaped(text: str) -> str:
    """Return a text without characters that begin links and mentions in Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _card(lines: Sequence[ChatLine]) -> bytes:
    content = {
        "$schema": CARD_SCHEMA,
        "type": "AdaptiveCard",
        "version": CARD_VERSION,
        "body": [item for line in lines for item in _card_items(line)],
        "msteams": {"width": "Full"},
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return encode({"type": "message", "attachments": [attachment]})


def _card_items(line: ChatLine) -> list[dict[str, Any]]:
    """Return the elements of a line: text runs are not read as Markdown, the link is."""
    return [
        {
            "type": "RichTextBlock",
            "separator": True,
            "inlines": [{"type": "TextRun", "text": line.text}],
        },
        {
            "type": "TextBlock",
            "text": f"[{line.label}]({line.link})",
            "spacing": "None",
            "wrap": True,
        },
    ]


def _json_bytes(text: str) -> int:
    """Return the number of bytes of a text in JSON, without its quotation marks."""
    return len(encode(text)) - 2
