"""Signed links of mails, and keyed hashes of addresses. Pure.

A token has its purpose, its subject and its expiry in it, with an HMAC over them. So no link must be stored,
and a reader of the database cannot make one.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from enum import StrEnum

from tracker.errors import InvalidInput

MAX_TOKEN_CHARACTERS = 300


class Purpose(StrEnum):
    """The action that a token permits."""

    CONFIRM = "confirm"
    """Confirm a subscription; the subject is its id."""
    UNSUBSCRIBE = "unsubscribe"
    """Delete a subscription; the subject is its id."""
    MANAGE = "manage"
    """See and delete the subscriptions of an address; the subject has its keyed hashes."""


class Signer:
    """Makes and reads tokens with the secret of the installation."""

    def __init__(self, secret: str):
        self._secret = secret.encode()

    def key(self, text: str) -> bytes:
        """Return the keyed hash of an address or a network."""
        return self._digest("key", text)

    def address_keys(self, address: str) -> list[bytes]:
        """Return the keyed hashes of an address: of its lower case, then as it is written.

        New rows have the first one; releases before it stored the second one.
        """
        return [self.key(each) for each in dict.fromkeys((address.lower(), address))]

    def token(self, purpose: Purpose, subject: str, expires_at: datetime | None = None) -> str:
        """Return a token; without an expiry it is valid for ever."""
        seconds = int(expires_at.timestamp()) if expires_at else 0
        return f"{subject}.{seconds}.{self._signature(purpose, subject, seconds)}"

    def subject(self, purpose: Purpose, token: str, now: datetime) -> str:
        """Return the subject of a token. Raises InvalidInput for a wrong or expired one."""
        subject, _, rest = token[:MAX_TOKEN_CHARACTERS].partition(".")
        seconds, _, signature = rest.partition(".")
        number = int(seconds) if seconds.isascii() and seconds.isdecimal() else -1
        expected = self._signature(purpose, subject, number)
        if not hmac.compare_digest(signature.encode(), expected.encode()) or (
            number and now >= datetime.fromtimestamp(number, UTC)
        ):
            raise invalid_link()
        return subject

    def _signature(self, purpose: Purpose, subject: str, seconds: int) -> str:
        digest = self._digest(purpose, f"{subject}.{seconds}")
        return urlsafe_b64encode(digest).decode().rstrip("=")

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._secret, f"{purpose}:{text}".encode(), "sha256")


def invalid_link() -> InvalidInput:
    """Return the error of a link that is wrong, has expired or was used before."""
    return InvalidInput(
        "this link is not valid or has expired: request a new one on the page of alerts",
        code="INVALID_LINK",
        path=("token",),
    )


def stored_hash(token: str) -> bytes:
    """Return the hash of a token for the database."""
    return hashlib.sha256(token.encode()).digest()
