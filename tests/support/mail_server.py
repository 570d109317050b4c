"""A real mail server (aiosmtpd) that stores messages, and can refuse recipients."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.ports import free_port
from tests.support.waiting import until
from tracker.alerts.options import MailOptions, MailServer, Tls
from tracker.delivery.schedule import Schedule

SECRET = "0123456789abcdef0123456789abcdef"
SITE = "http://localhost"


@dataclass
class MailBox:
    """The messages that a mail server accepted, and its answers."""

    port: int
    contents: list[bytes] = field(default_factory=list)
    connections: int = 0
    refusals: dict[str, str] = field(default_factory=dict)
    """Answers to RCPT by address, such as `550 unknown`."""
    hanging: set[str] = field(default_factory=set)
    """Addresses whose RCPT gets no answer while they are here."""
    hanging_texts: set[bytes] = field(default_factory=set)
    """Parts of messages whose DATA gets no answer while they are here: after it was accepted."""
    data_answer: str = "250 OK"

    async def handle_EHLO(  # noqa: N802 - the name is that of the hook
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Count a connection."""
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Accept a recipient, refuse it, or do not answer."""
        while address in self.hanging:
            await asyncio.sleep(0.01)
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        """Store a message."""
        if self.data_answer.startswith("250"):
            self.contents.append(envelope.content)
        while any(text in envelope.content for text in self.hanging_texts):
            await asyncio.sleep(0.01)
        return self.data_answer

    @property
    def messages(self) -> list[EmailMessage]:
        """Return the accepted messages, in order."""
        return [parsed(content) for content in self.contents]

    async def wait_for(self, count: int) -> list[EmailMessage]:
        """Wait until a number of messages were accepted."""
        await until(lambda: len(self.contents) >= count)
        return self.messages

    def options(
        self, *, port: int = 0, tls: Tls = Tls.OFF, timeout_seconds: float = 5, **changed: Any
    ) -> MailOptions:
        """Return options of alerts over this server, or another port, that do not wait long."""
        quick = {
            "schedule": Schedule((0, 0.1, 0.2), 0.3),
            "idle_seconds": 0.05,
            "lease_seconds": 1.5,
            "immediate_interval": timedelta(seconds=0.05),
        }
        server = MailServer(
            "127.0.0.1", port or self.port, tls=tls, timeout_seconds=timeout_seconds
        )
        sender = "Tracker <alerts@example.com>"
        return MailOptions(server, sender, SITE, SECRET, **{**quick, **changed})


@contextmanager
def receiving_mail(**options: Any) -> Iterator[MailBox]:
    """Run a mail server in a thread."""
    box = MailBox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def parsed(content: bytes) -> EmailMessage:
    """Return a message."""
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage) -> str:
    """Return the plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def link_in(message: EmailMessage, path: str) -> str:
    """Return the path and query of the link to an address in a message."""
    match = re.search(rf"{re.escape(SITE)}({re.escape(path)}\?\S+)", text_of(message))
    assert match, text_of(message)
    return match[1]


async def quiet(seconds: float = 0.5) -> None:
    """Wait for a mailer that has nothing to do."""
    await asyncio.sleep(seconds)
