"""Letters as plain text and as HTML, and their messages. Pure.

Both texts follow from the same parts. The HTML has one column, letters of 16 pixels and no images, scripts or
addresses that identify the reader, except the links of the reader's own subscription.
"""

import textwrap
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, Template
from msgspec import Struct

MAX_SUBJECT_CHARACTERS = 150
MAX_HEADER_LINE = 76
"""Longest line with an encoded word (RFC 2047)."""
WIDTH = 76


class Paragraph(Struct, frozen=True):
    """A text, optionally with a link under it."""

    text: str
    link: str | None = None
    label: str = ""
    """The label of the link."""
    note: bool = False
    """Whether it is a remark."""


class Heading(Struct, frozen=True):
    """A heading of a section."""

    text: str


class Item(Struct, frozen=True):
    """An item of a list, with its permanent link and an optional remark."""

    text: str
    link: str
    label: str
    """The label of the link."""
    remark: str = ""


Part = Paragraph | Heading | Item


class Letter(Struct, frozen=True):
    """A subject and the parts of a text."""

    subject: str
    parts: Sequence[Part]


class Rendered(NamedTuple):
    """A message without its `To` header, ready to be stored."""

    message_id: str
    content: bytes


class LongLines(EmailPolicy):
    """A policy that does not fold headers in ASCII: mail programs read links only in one piece (RFC 8058).

    Python folds and encodes long words without spaces, and breaks subjects beside spaces. Subjects with
    other characters are encoded as a whole.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return the lines of a header."""
        if str(value).isascii():
            return f"{name}: {value}{self.linesep}".encode("ascii")
        if name == "Subject":
            words = Header(str(value), "utf-8", MAX_HEADER_LINE, name).encode(linesep=self.linesep)
            return f"{name}: {words}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


POLICY = LongLines(linesep=SMTP.linesep)


def render(
    letter: Letter, sender: str, now: datetime, headers: Mapping[str, str] | None = None
) -> Rendered:
    """Return a message of a new id, with both texts."""
    message = EmailMessage(policy=POLICY)
    message_id = f"<{uuid.uuid4()}@{sender_address(sender).domain}>"
    subject = in_one_line(letter.subject)
    if len(subject) > MAX_SUBJECT_CHARACTERS:
        subject = f"{subject[: MAX_SUBJECT_CHARACTERS - 1]}…"
    fields = {
        "From": sender,
        "Subject": subject,
        "Date": format_datetime(now),
        "Message-ID": message_id,
        "Auto-Submitted": "auto-generated",
        **(headers or {}),
    }
    for name, value in fields.items():
        message[name] = value
    message.set_content(plain(letter), cte="quoted-printable")
    message.add_alternative(html(letter), subtype="html", cte="quoted-printable")
    return Rendered(message_id, bytes(message))


def sender_address(sender: str) -> Address:
    """Return the address of a sender such as `Tracker <alerts@example.com>`. Raises ValueError."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    [address] = message["From"].addresses
    if not address.domain:
        raise ValueError("the sender has no domain")
    return Address(username=address.username, domain=address.domain)


def addressed(content: bytes, address: str) -> bytes:
    """Return a stored message with its recipient."""
    return b"To: %s\r\n%s" % (address.encode("ascii"), content)


def plain(letter: Letter) -> str:
    """Return the plain text."""
    return "\n".join(_plain_lines(letter.parts)).strip() + "\n"


def _plain_lines(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        match part:
            case Heading(text):
                yield from ("", in_one_line(text), "=" * min(len(text), WIDTH))
            case Paragraph(text, link):
                yield from ("", *textwrap.wrap(in_one_line(text), WIDTH))
                if link:
                    yield link
            case Item(text, link, _, remark):
                words = in_one_line(f"{text} {remark}")
                item = textwrap.wrap(words, WIDTH, initial_indent="- ", subsequent_indent="  ")
                yield from ("", *item, f"  {link}")


def html(letter: Letter) -> str:
    """Return the HTML."""
    return _template().render(letter=letter)


@cache
def _template() -> Template:
    """Return the template of the HTML."""
    text = Path(__file__).with_name("letter.html").read_text("utf-8")
    return Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    ).from_string(text)


def in_one_line(text: str) -> str:
    """Return a text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
