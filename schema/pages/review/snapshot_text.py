"""Responses of publishers as text, beside the data read from them. Pure.

The content is untrusted: it is never shown as HTML, and nothing in it is loaded.
"""

import re
from typing import Any

import orjson
from msgspec import Struct

from tracker.snapshots.store import Snapshot
from tracker.watch.adapter import NotUnderstood, Request, Response, decode_text
from tracker.watch.html_process import read_apart
from tracker.watch.markup import MAX_HTML_BYTES, page_lines

MAX_READ_BYTES = MAX_HTML_BYTES
"""Maximum size of a snapshot for a page."""
MAX_SHOWN_CHARACTERS = 40_000
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
JSON_TYPE = re.compile(r"application/(?:[\w.-]+\+)?json")
TEXT_TYPE = re.compile(r"text/[\w.+-]+|application/(?:[\w.-]+\+)?xml|application/(?:x-)?ndjson")
STEP = re.compile(r"\[(\d{1,6})\]|([^\[\].]+)")
"""A step of a location in JSON, such as `results[3]`."""
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Characters that readers do not need, including those that change the direction of the text."""


class SnapshotText(Struct, frozen=True):
    """The text of a snapshot, or in `note` the reason why it is not shown."""

    text: str = ""
    note: str = ""


def snapshot_text(snapshot: Snapshot | None, place: str) -> SnapshotText:
    """Return the text of a snapshot; of JSON only the value at the location of a candidate."""
    if snapshot is None:
        return SnapshotText(note="It is not stored here.")
    if snapshot.content is None:
        reason = snapshot.info.redaction.reason if snapshot.info.redaction else ""
        return SnapshotText(note=f"It was redacted: {reason}")
    if len(snapshot.content) > MAX_READ_BYTES:
        return SnapshotText(note="It is too large to be shown here: open the file.")
    try:
        text = _text(snapshot, snapshot.content, place)
    except NotUnderstood as error:
        return SnapshotText(note=f"It cannot be shown as text ({error.message}): open the file.")
    if text is None:
        return SnapshotText(note="It is not a text that can be shown here: open the file.")
    shown = UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))
    if len(shown) > MAX_SHOWN_CHARACTERS:
        return SnapshotText(shown[:MAX_SHOWN_CHARACTERS], "Its beginning; the file has all of it.")
    return SnapshotText(shown)


def _text(snapshot: Snapshot, content: bytes, place: str) -> str | None:
    media_type = (snapshot.info.media_type or "").partition(";")[0].strip().lower()
    if media_type in HTML_TYPES:
        return "\n".join(read_apart(page_lines, _response(snapshot, content)))
    if JSON_TYPE.fullmatch(media_type):
        return _json_at(content, place)
    return decode_text(content, None) if TEXT_TYPE.fullmatch(media_type) else None


def _response(snapshot: Snapshot, content: bytes) -> Response:
    """Return a snapshot in the form that the HTML reader takes."""
    info = snapshot.info
    return Response(Request(""), "the snapshot", 200, info.stored_at, info.sha256, content)


def _json_at(content: bytes, place: str) -> str:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise NotUnderstood(f"expected JSON: {error}") from None
    part = _part(value, place)
    return orjson.dumps(value if part is None else part, option=orjson.OPT_INDENT_2).decode()


def _part(value: Any, place: str) -> Any:
    """Return the value at a location; None if there is no such location."""
    for index, name in STEP.findall(place):
        if name and isinstance(value, dict) and name in value:
            value = value[name]
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value
