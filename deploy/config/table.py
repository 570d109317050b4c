"""Every setting; docs/settings.md has the same table: a test compares them.

A secret is never a flag: flags can be read in the list of processes.
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
    """A setting that does not exist, or that has a value outside its range. It names the variable."""

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
    "a TOML file with settings, their names in lower case without `TRACKER_`; variables win",
)
DATA_DIR = Setting(
    "TRACKER_DATA_DIR",
    "one directory per user, another for the demo",
    "where the embedded PostgreSQL keeps its data",
    flag="--data-dir",
)
DATABASE_URL = Setting(
    "TRACKER_DATABASE_URL",
    "none: the embedded server",
    "a PostgreSQL (17 or newer) to use instead of the embedded one",
)
DIRECT_URL = Setting(
    "TRACKER_DIRECT_URL",
    "none: no pooler in between",
    "the same database without the connection pooler that `TRACKER_DATABASE_URL` leads to",
)
READ_DATABASE_URL = Setting(
    "TRACKER_READ_DATABASE_URL",
    "none: the primary is read from",
    "standbys of the database, which `tracker serve` answers questions from",
)
HOST = Setting("TRACKER_HOST", "127.0.0.1", "the address to listen on", flag="--host")
PORT = Setting("TRACKER_PORT", "8000", "the port to listen on", flag="--port")
WRITE_TOKEN = Setting(
    "TRACKER_WRITE_TOKEN",
    "none: nobody may write",
    "a bearer token for writing, beside those of `tracker token`; the demo is open without it",
)
READ = Setting("TRACKER_READ", "open", "who may read: open, or token for those who have one")
INTROSPECTION = Setting(
    "TRACKER_INTROSPECTION", "on", "whether the API tells its schema: on or off"
)
DOCUMENTS = Setting(
    "TRACKER_DOCUMENTS",
    "none",
    "a file of GraphQL documents that clients may name by `documentId`, as JSON: an object of "
    "documents by their ids, or Apollo's manifest",
)
OTHER_DOCUMENTS = Setting(
    "TRACKER_OTHER_DOCUMENTS",
    "answer",
    "what becomes of documents that are not in that file: answer or refuse",
)
HOSTS = Setting(
    "TRACKER_HOSTS",
    "none: localhost and addresses",
    "the names that the server is reached by, with commas; `*` is any",
)
ORIGINS = Setting(
    "TRACKER_ORIGINS",
    "none: our own pages",
    "the origins whose pages may use the API, with commas; `*` is any",
)
RATE = Setting(
    "TRACKER_RATE",
    "0: no limit",
    "the requests a second of one token or, without one, of one address",
)
OPERATIONS = Setting(
    "TRACKER_OPERATIONS",
    "100",
    "the operations of one client at a time over WebSockets and streams",
)
QUESTIONS = Setting(
    "TRACKER_QUESTIONS",
    "2",
    "the questions of one client without the right to write that are worked on at a time; its "
    "others wait",
)
CONNECTIONS = Setting(
    "TRACKER_CONNECTIONS",
    "10000",
    "the connections in all; fewer where the process may not have enough descriptors (`ulimit -n`)",
)
CLIENT_CONNECTIONS = Setting(
    "TRACKER_CLIENT_CONNECTIONS",
    "200",
    "the connections of one address, unless it is a trusted proxy's",
)
HEAD_BYTES = Setting(
    "TRACKER_HEAD_BYTES", "65536", "the bytes of the address and headers of a request"
)
HEAD_SECONDS = Setting("TRACKER_HEAD_SECONDS", "10", "the seconds that a client has to send them")
OIDC_ISSUER = Setting(
    "TRACKER_OIDC_ISSUER",
    "none: only our own tokens",
    "the OpenID Connect issuer whose JWTs are taken as tokens, an https address",
)
OIDC_AUDIENCE = Setting(
    "TRACKER_OIDC_AUDIENCE",
    "none: an issuer needs one",
    "what the issuer's tokens must be for (`aud`)",
)
OIDC_KEYS = Setting(
    "TRACKER_OIDC_KEYS", "where the issuer says", "the address of the issuer's key set (JWKS)"
)
OIDC_ACTOR = Setting("TRACKER_OIDC_ACTOR", "sub", "the claim that names the actor")
OIDC_SCOPE = Setting(
    "TRACKER_OIDC_SCOPE", "scope", "the claim with the scopes; dots lead into objects"
)
OIDC_SCOPES = Setting(
    "TRACKER_OIDC_SCOPES",
    "tracker:read=read, tracker:record=record, …",
    "what its words mean, with commas: `editors=record, boss=admin`",
)
PG_BIN = Setting(
    "TRACKER_PG_BIN",
    "the wheel's, or an installed one",
    "the directory of PostgreSQL's programs for the embedded server",
)
AUDIT_DIR = Setting(
    "TRACKER_AUDIT_DIR",
    "`audit` in the data directory; none with `TRACKER_DATABASE_URL`",
    "where the keys that sign the log and its last signed head are kept; without it nothing "
    "is signed here",
)
LOG_ORIGIN = Setting(
    "TRACKER_LOG_ORIGIN",
    "a name made with the first key",
    "the name of the log in its checkpoints, such as `minerals.example.com/log`",
)
WITNESSES = Setting(
    "TRACKER_WITNESSES",
    "none",
    "a file that names the witnesses of the log and how many of them a checkpoint needs (C2SP "
    "tlog-policy)",
)
DELIVERY_NETWORKS = Setting(
    "TRACKER_DELIVERY_NETWORKS",
    "none: addresses of the internet only",
    "the networks that deliveries may go to beside the internet, and without TLS, with "
    "commas: `10.1.0.0/16, ::1/128`",
)
DELIVERY_ORIGIN = Setting(
    "TRACKER_DELIVERY_ORIGIN",
    "the first of `TRACKER_HOSTS`, or localhost",
    "the name by which receivers of deliveries know this tracker (`WebHook-Request-Origin`)",
)
SNAPSHOTS = Setting(
    "TRACKER_SNAPSHOTS",
    "database",
    "where the bytes that publishers sent are kept: `database`, or the whole path of a "
    "directory, which all servers on the database must then have",
)
WATCH = Setting(
    "TRACKER_WATCH",
    "off",
    "which sources `tracker serve` looks through: `off`, `default` for those that ship, or a "
    "TOML file that adds to them; `tracker watch` takes `off` for `default`",
)
WATCH_NETWORKS = Setting(
    "TRACKER_WATCH_NETWORKS",
    "none: addresses of the internet only",
    "the networks that sources may be in beside the internet, with commas",
)
WATCH_CONTACT = Setting(
    "TRACKER_WATCH_CONTACT",
    "none",
    "where publishers can ask about the requests of the watch, an address or a mail address: "
    "it is in their `User-Agent`",
)
REVIEWERS = Setting(
    "TRACKER_REVIEWERS",
    "1",
    "how many persons have to accept what was found at publishers before it is recorded: 1 or 2",
)
TOKEN = Setting(
    "TRACKER_TOKEN",
    "none",
    "a bearer token for `tracker verify URL` and `tracker mcp URL`, where reading needs one",
)
RELAY_URL = Setting(
    "TRACKER_RELAY_URL",
    "none: it is given to the command",
    "where `tracker relay` publishes, `nats://` or `tls://`, with a password or token if "
    "there is one",
)
RELAY_CREDENTIALS = Setting(
    "TRACKER_RELAY_CREDENTIALS",
    "none",
    "a file by which `tracker relay` logs in: a JWT and an nkey seed (`.creds`), or a seed alone",
    flag="--credentials",
)
LOG_LEVEL = Setting(
    "TRACKER_LOG_LEVEL",
    "warning",
    "how much is logged: debug, info, warning or error",
    flag="--log-level",
)
LOG_FORMAT = Setting(
    "TRACKER_LOG_FORMAT",
    "text",
    "text for people, or json: a line of JSON each",
    flag="--log-format",
)

SETTINGS = tuple(value for value in list(globals().values()) if isinstance(value, Setting))
"""In the order of their definitions above."""
