"""Parser of database URLs: `postgresql://user:password@host:port/database?parameters`.

asyncpg parses such URLs leniently: a `/` in a password ends it there, and error messages quote the parts.
Here ambiguous characters are rejected, and no error quotes any part of the URL.
"""

import re
from typing import Any
from urllib.parse import unquote

from tracker.errors import InvalidInput
from tracker.postgres.database import Target
from tracker.postgres.hosts import DEFAULT_PORT

ADDRESS = re.compile(
    r"postgres(?:ql)?://(?:(?P<login>[^/?#]*)@)?(?P<hosts>[^/?#@]*)(?:/(?P<database>[^/?#@]*))?"
    r"(?:\?(?P<parameters>[^#@]*))?"
)
HOST = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")
PARAMETER = re.compile(r"(?P<name>[a-z][a-z0-9_.]*)=(?P<value>.+)")
LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
OWN_PARAMETERS = frozenset(
    {
        "connect_timeout",
        "database",
        "dbname",
        "host",
        "password",
        "port",
        "target_session_attrs",
        "user",
    }
)
"""Parameters that are handled here; others are passed to asyncpg."""
SESSION_ATTRIBUTES = ("any", "primary", "standby", "prefer-standby", "read-write", "read-only")
MAX_CONNECT_TIMEOUT_SECONDS = 600
LAST_PORT = 65_535
EXPECTED = (
    "expected postgresql://user:password@host:port/database, where % / ? # @ in a name or a"
    " password are written %25 %2F %3F %23 %40"
)


def target_from_url(url: str) -> Target:
    """Parse the URL of a database. Raises InvalidInput, whose message does not quote it.

    Parameters are those of asyncpg, such as sslmode; others are settings of the session. Of several hosts,
    the first is used that responds within `connect_timeout` seconds and matches `target_session_attrs`.
    """
    match = ADDRESS.fullmatch(url)
    if not match or not url.isprintable() or " " in url or LONE_PERCENT.search(url):
        raise InvalidInput(EXPECTED)
    named, others = _parameters(match["parameters"] or "")
    user, _, password = (match["login"] or "").partition(":")
    options = {
        **_hosts(match["hosts"] or named.get("host", ""), named.get("port", "")),
        "user": _decoded(user or named.get("user", "")),
        "password": _decoded(password or named.get("password", "")),
        "database": _decoded(match["database"] or named.get("database", named.get("dbname", ""))),
        "timeout": _timeout(named.get("connect_timeout")),
        "target_session_attrs": _session_attributes(named.get("target_session_attrs")),
        "dsn": f"postgresql://?{'&'.join(others)}" if others else None,
    }
    return {name: value for name, value in options.items() if value}


def _parameters(text: str) -> tuple[dict[str, str], list[str]]:
    """Return the parameters that are also parts of a URL, and the others unchanged."""
    named, others = dict[str, str](), list[str]()
    for pair in filter(None, text.split("&")):
        match = PARAMETER.fullmatch(pair)
        if not match:
            raise InvalidInput("expected parameters such as ?sslmode=require")
        if match["name"] in OWN_PARAMETERS:
            named[match["name"]] = match["value"]
        else:
            others.append(pair)
    return named, others


def _hosts(hosts: str, ports: str) -> dict[str, Any]:
    """Return the given hosts and ports: the first that responds is used."""
    matches = [match for host in hosts.split(",") if (match := HOST.fullmatch(host))]
    names = [_decoded(host["ipv6"] or host["name"]) for host in matches]
    written = [host["port"] for host in matches]
    if not any(written) and ports:
        written = list(ports.split(","))
    if (
        len(matches) <= hosts.count(",")
        or (any(names) and not all(names))
        or len(written) not in (1, len(names))
    ):
        raise InvalidInput("expected hosts such as db.example.org:5432 or [2001:db8::1]:5432")
    return {
        "host": names if any(names) else None,
        "port": [_port(port) for port in written] if any(written) else None,
    }


def _port(text: str | None) -> int:
    if not text:
        return DEFAULT_PORT
    if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) <= LAST_PORT:
        raise InvalidInput(f"expected ports from 1 to {LAST_PORT}")
    return int(text)


def _timeout(text: str | None) -> int | None:
    """Return the response timeout of a host in seconds; None if the URL has none."""
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,3}", text) or not 0 < int(text) <= MAX_CONNECT_TIMEOUT_SECONDS:
        raise InvalidInput(
            f"expected connect_timeout to be seconds from 1 to {MAX_CONNECT_TIMEOUT_SECONDS}"
        )
    return int(text)


def _session_attributes(text: str | None) -> str | None:
    if text is not None and text not in SESSION_ATTRIBUTES:
        raise InvalidInput(
            f"expected target_session_attrs to be one of {', '.join(SESSION_ATTRIBUTES)}"
        )
    return text


def _decoded(text: str) -> str:
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInput("expected percent-encoded UTF-8") from None
    if "\0" in decoded:
        raise InvalidInput("expected no zero byte")
    return decoded
