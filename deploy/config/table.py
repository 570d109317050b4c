"""Table of all settings; a test compares it with docs/settings.md.

A secret is never a flag, because the process list shows flags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from tracker.errors import InvalidInput
from tracker.web.networks import Networks

PREFIX = "TRACKER_"
Choice = TypeVar("Choice", bound=StrEnum)


class WrongSetting(InvalidInput):
    """A setting that does not exist, or that has a value outside its range. The message names the
    variable."""

    code = "WRONG_SETTING"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its environment variable, its default, its meaning, its flag if it has one.

    Each method reads the value from an environment, and raises WrongSetting."""

    variable: str
    default: str
    meaning: str
    flag: str | None = None

    def text(self, environment: Mapping[str, str]) -> str | None:
        """Return the value, or None if the variable is unset or empty."""
        return environment.get(self.variable) or None

    def secret(self, environment: Mapping[str, str]) -> str | None:
        """Return a token. A header could not carry other characters, or an error would print them."""
        value = self.text(environment)
        if value and not (value.isascii() and value.isprintable() and " " not in value):
            raise self.wrong("expected printable ASCII without spaces")
        return value

    def word(self, words: tuple[str, ...], environment: Mapping[str, str]) -> str:
        """Return one of some words."""
        value = self.text(environment) or self.default
        if value not in words:
            raise self.wrong(f"expected {' or '.join(words)}", value)
        return value

    def choice(self, kind: type[Choice], environment: Mapping[str, str]) -> Choice:
        """Return a member of an enumeration."""
        return kind(self.word(tuple(kind), environment))

    def number(self, least: int, environment: Mapping[str, str]) -> int:
        """Return a whole number of at most nine digits."""
        value = self.text(environment) or self.default.partition(":")[0]
        if not re.fullmatch("[0-9]{1,9}", value) or int(value) < least:
            raise self.wrong(f"expected a number from {least} on", value)
        return int(value)

    def items(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """Return texts that commas separate."""
        parts = (self.text(environment) or "").split(",")
        return tuple(part.strip() for part in parts if part.strip())

    def networks(self, environment: Mapping[str, str]) -> Networks:
        """Return networks of IP addresses that commas separate."""
        try:
            return Networks.parse(self.items(environment))
        except InvalidInput as error:
            raise self.wrong(error.message) from None

    def wrong(self, problem: str, value: str | None = None) -> WrongSetting:
        """Return the error for a value; secrets are not repeated."""
        return WrongSetting(f"{self.variable}{'' if value is None else f'={value}'}: {problem}")


SETTINGS_FILE = Setting(
    "TRACKER_SETTINGS",
    "none",
    "a TOML file with settings, names in lower case without `TRACKER_`; variables override it",
)
DATA_DIR = Setting(
    "TRACKER_DATA_DIR",
    "one directory per user, another for the demo",
    "data directory of the embedded PostgreSQL",
    flag="--data-dir",
)
DATABASE_URL = Setting(
    "TRACKER_DATABASE_URL",
    "none: the embedded server",
    "a PostgreSQL 17 or newer instead of the embedded one",
)
DIRECT_URL = Setting(
    "TRACKER_DIRECT_URL",
    "none: no pooler in between",
    "the same database without the pooler of `TRACKER_DATABASE_URL`",
)
READ_DATABASE_URL = Setting(
    "TRACKER_READ_DATABASE_URL",
    "none: the primary is read from",
    "standbys from which `tracker serve` answers queries",
)
HOST = Setting("TRACKER_HOST", "127.0.0.1", "address to listen on", flag="--host")
PORT = Setting("TRACKER_PORT", "8000", "port to listen on", flag="--port")
WRITE_TOKEN = Setting(
    "TRACKER_WRITE_TOKEN",
    "none: nobody may write",
    "a bearer token for writing, beside those of `tracker token`; the demo is open without it",
)
READ = Setting("TRACKER_READ", "open", "readers: `open`, or `token` for token holders")
INTROSPECTION = Setting("TRACKER_INTROSPECTION", "on", "GraphQL introspection: `on` or `off`")
DOCUMENTS = Setting(
    "TRACKER_DOCUMENTS",
    "none",
    "a JSON file of trusted documents: documents by id, or Apollo's manifest",
)
OTHER_DOCUMENTS = Setting(
    "TRACKER_OTHER_DOCUMENTS",
    "answer",
    "policy for documents that are not listed: `answer` or `refuse`",
)
HOSTS = Setting(
    "TRACKER_HOSTS", "none: localhost and addresses", "names of the server, with commas; `*` is any"
)
ORIGINS = Setting(
    "TRACKER_ORIGINS",
    "none: our own pages",
    "origins whose pages may use the API, with commas; `*` is any",
)
RATE = Setting("TRACKER_RATE", "0: no limit", "requests per second of a token or address")
OPERATIONS = Setting(
    "TRACKER_OPERATIONS", "100", "concurrent operations per client over WebSockets and streams"
)
QUERIES = Setting(
    "TRACKER_QUESTIONS", "2", "concurrent queries per read-only client; further queries are queued"
)
CONNECTIONS = Setting(
    "TRACKER_CONNECTIONS",
    "10000",
    "connections in all; fewer if descriptors are limited (`ulimit -n`)",
)
CLIENT_CONNECTIONS = Setting(
    "TRACKER_CLIENT_CONNECTIONS", "200", "connections per address, except trusted proxies"
)
HEAD_BYTES = Setting("TRACKER_HEAD_BYTES", "65536", "bytes of address and headers of a request")
HEAD_SECONDS = Setting("TRACKER_HEAD_SECONDS", "10", "seconds to send them")
OIDC_ISSUER = Setting(
    "TRACKER_OIDC_ISSUER",
    "none: only our own tokens",
    "OpenID Connect issuer of accepted JWTs, an https address",
)
OIDC_AUDIENCE = Setting(
    "TRACKER_OIDC_AUDIENCE", "none: an issuer needs one", "required audience (`aud`) of these JWTs"
)
OIDC_KEYS = Setting(
    "TRACKER_OIDC_KEYS", "where the issuer says", "address of the issuer's key set (JWKS)"
)
OIDC_ACTOR = Setting("TRACKER_OIDC_ACTOR", "sub", "claim with the name of the actor")
OIDC_SCOPE = Setting("TRACKER_OIDC_SCOPE", "scope", "claim with the scopes; dots lead into objects")
OIDC_SCOPES = Setting(
    "TRACKER_OIDC_SCOPES",
    "tracker:read=read, tracker:record=record, …",
    "meaning of its words, with commas: `editors=record, boss=admin`",
)
PG_BIN = Setting(
    "TRACKER_PG_BIN",
    "the wheel's, or an installed one",
    "directory of PostgreSQL's programs for the embedded server",
)
AUDIT_DIR = Setting(
    "TRACKER_AUDIT_DIR",
    "`audit` in the data directory; none with `TRACKER_DATABASE_URL`",
    "directory of signing keys and last signed head; without it nothing is signed",
)
LOG_ORIGIN = Setting(
    "TRACKER_LOG_ORIGIN",
    "a name made with the first key",
    "name of the log in checkpoints, such as `minerals.example.com/log`",
)
WITNESSES = Setting(
    "TRACKER_WITNESSES", "none", "file with witnesses and quorum (C2SP tlog-policy)"
)
TIMESTAMP_AUTHORITY = Setting(
    "TRACKER_TIMESTAMP_AUTHORITY",
    "none: receipts have no timestamp",
    "address of an authority (RFC 3161) that timestamps the files of receipts",
)
TIMESTAMP_CERTIFICATE = Setting(
    "TRACKER_TIMESTAMP_CERTIFICATE",
    "none",
    "a PEM file with the root certificate of this authority, and with those between",
)
DELIVERY_NETWORKS = Setting(
    "TRACKER_DELIVERY_NETWORKS",
    "none: addresses of the internet only",
    "private networks allowed for deliveries, also without TLS: `10.1.0.0/16, ::1/128`",
)
DELIVERY_ORIGIN = Setting(
    "TRACKER_DELIVERY_ORIGIN",
    "the first of `TRACKER_HOSTS`, or localhost",
    "name of the tracker for receivers (`WebHook-Request-Origin`)",
)
SNAPSHOTS = Setting(
    "TRACKER_SNAPSHOTS",
    "database",
    "storage of publishers' bytes: `database`, or the absolute path of a directory shared by "
    "all servers",
)
WATCH = Setting(
    "TRACKER_WATCH",
    "off",
    "watched sources of `tracker serve`: `off`, `default`, or a TOML file with more; `tracker"
    " watch` treats `off` as `default`",
)
WATCH_NETWORKS = Setting(
    "TRACKER_WATCH_NETWORKS",
    "none: addresses of the internet only",
    "private networks allowed for sources",
)
WATCH_CONTACT = Setting(
    "TRACKER_WATCH_CONTACT", "none", "contact for publishers in the `User-Agent`"
)
MAIL_SERVER = Setting(
    "TRACKER_MAIL_SERVER",
    "none: no e-mail alerts",
    "mail server of alerts: `smtp://user:password@mail.example.com:587` (with STARTTLS), `smtps://…`",
)
MAIL_TLS = Setting(
    "TRACKER_MAIL_TLS", "on", "TLS to a server at `smtp://`: `on`, or `off` for one on this machine"
)
MAIL_FROM = Setting(
    "TRACKER_MAIL_FROM", "none: alerts need one", "sender: `Tracker <alerts@example.com>`"
)
MAIL_SITE = Setting(
    "TRACKER_MAIL_SITE",
    "none: alerts need one; `https://` and `TRACKER_DELIVERY_ORIGIN` for chats",
    "scheme and host of links in mails and chats: `https://minerals.example.com`",
)
MAIL_SECRET = Setting(
    "TRACKER_MAIL_SECRET",
    "none: alerts need one",
    "secret of links in mails, the same for all servers: 32 characters or more",
)
MAIL_RATE = Setting("TRACKER_MAIL_RATE", "60", "messages per minute to the mail server")
MAIL_SUBSCRIPTIONS = Setting("TRACKER_MAIL_SUBSCRIPTIONS", "10000", "subscriptions in all")
REVIEWERS = Setting("TRACKER_REVIEWERS", "1", "required acceptances of a candidate: 1 or 2")
TOKEN = Setting(
    "TRACKER_TOKEN", "none", "bearer token for `tracker verify URL` and `tracker mcp URL`"
)
RELAY_URL = Setting(
    "TRACKER_RELAY_URL",
    "none: it is given to the command",
    "broker of `tracker relay`, `nats://` or `tls://`, with credentials if needed",
)
RELAY_CREDENTIALS = Setting(
    "TRACKER_RELAY_CREDENTIALS",
    "none",
    "login file of `tracker relay`: a JWT and nkey seed (`.creds`), or a seed",
    flag="--credentials",
)
LOG_LEVEL = Setting(
    "TRACKER_LOG_LEVEL", "warning", "`debug`, `info`, `warning` or `error`", flag="--log-level"
)
LOG_FORMAT = Setting(
    "TRACKER_LOG_FORMAT", "text", "`text`, or `json` for JSON lines", flag="--log-format"
)

SETTINGS = tuple(value for value in list(globals().values()) if isinstance(value, Setting))
"""All settings, in the order of their definitions."""
