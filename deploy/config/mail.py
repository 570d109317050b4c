"""The settings of e-mail alerts. Each function raises WrongSetting."""

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from deploy.config.table import TABLE
from tracker.alerts.options import MailOptions, MailServer, Tls
from tracker.errors import InvalidInput

PORTS = {"smtp": 587, "smtps": 465}
"""Default ports by the scheme of the mail server."""
MIN_SECRET_CHARACTERS = 32
SITE = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


def mail(environment: Mapping[str, str] = os.environ) -> MailOptions | None:
    """Return the options of alerts, or None if there is no mail server."""
    url = TABLE["MAIL_SERVER"].text(environment)
    if not url:
        return None
    return MailOptions(
        server=_server(url, TABLE["MAIL_TLS"].word(("on", "off"), environment) == "on"),
        sender=_sender(environment),
        site=_site(environment),
        secret=_secret(environment),
        messages_a_minute=TABLE["MAIL_RATE"].number(1, environment),
        max_subscriptions=TABLE["MAIL_SUBSCRIPTIONS"].number(1, environment),
    )


def mail_secrets(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield the values that must not appear in logs: the secret, and the password in the address."""
    yield TABLE["MAIL_SECRET"].text(environment) or ""
    url = TABLE["MAIL_SERVER"].text(environment) or ""
    if login := re.match(r"\w+://[^:/@]*:(.+)@", url):
        yield from {login[1], unquote(login[1])}


def _server(url: str, starts_tls: bool) -> MailServer:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    extra = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in PORTS or not parts.hostname or extra:
        raise TABLE["MAIL_SERVER"].wrong(
            "expected smtp:// or smtps:// with a host, such as smtp://user:password@mail.example.com:587"
        )
    plain_tls = Tls.STARTTLS if starts_tls else Tls.OFF
    return MailServer(
        parts.hostname,
        port or PORTS[parts.scheme],
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
        Tls.IMPLICIT if parts.scheme == "smtps" else plain_tls,
    )


def _sender(environment: Mapping[str, str]) -> str:
    from tracker.alerts.letter import sender_address  # here, as it would delay every start

    sender = TABLE["MAIL_FROM"].text(environment) or ""
    try:
        sender_address(sender)
    except (ValueError, IndexError):
        raise TABLE["MAIL_FROM"].wrong(
            "expected a sender such as Tracker <alerts@example.com>", sender
        ) from None
    return sender


def mail_site(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the scheme and host of links in messages, or None if it is not set."""
    return _site(environment) if TABLE["MAIL_SITE"].text(environment) else None


def parse_site(text: str) -> str:
    """Return the scheme and host of links. Raises InvalidInput."""
    site = text.rstrip("/")
    if not SITE.fullmatch(site):
        raise InvalidInput(
            "expected an address such as https://minerals.example.com", path=("site",)
        )
    return site


def _site(environment: Mapping[str, str]) -> str:
    text = TABLE["MAIL_SITE"].text(environment) or ""
    try:
        return parse_site(text)
    except InvalidInput as error:
        raise TABLE["MAIL_SITE"].wrong(error.message, text) from None


def _secret(environment: Mapping[str, str]) -> str:
    secret = TABLE["MAIL_SECRET"].secret(environment) or ""
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise TABLE["MAIL_SECRET"].wrong(
            f"expected at least {MIN_SECRET_CHARACTERS} printable characters: openssl rand -hex 32"
        )
    return secret
