"""What the settings say, from the environment or from flags; `setting_table.py` names them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from deploy.config.access_settings import access
from deploy.config.setting_table import (
    AUDIT_DIR,
    CLIENT_CONNECTIONS,
    CONNECTIONS,
    DATABASE_URL,
    DELIVERY_NETWORKS,
    DELIVERY_ORIGIN,
    DIRECT_URL,
    HEAD_BYTES,
    HEAD_SECONDS,
    HOSTS,
    LOG_FORMAT,
    LOG_LEVEL,
    LOG_ORIGIN,
    PREFIX,
    READ_DATABASE_URL,
    RELAY_URL,
    REVIEWERS,
    SETTINGS,
    SNAPSHOTS,
    TOKEN,
    WATCH,
    WATCH_CONTACT,
    WATCH_NETWORKS,
    WITNESSES,
    WRITE_TOKEN,
    Setting,
)
from deploy.config.setting_values import (
    WrongSetting,
    read_list,
    read_number,
    read_secret,
    read_word,
)
from deploy.output.log_format import LogFormat, LogLevel
from deploy.web.connections import Limits
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.sign.witness import Policy
from tracker.delivery.deliverer import DeliveryOptions
from tracker.delivery.relay.nats_address import secrets_in
from tracker.errors import InvalidInput
from tracker.postgres.database import Target
from tracker.postgres.database_url import target_from_url
from tracker.review.candidate import POSSIBLE_REVIEWERS
from tracker.web.networks import Networks

Choice = TypeVar("Choice", bound=StrEnum)
DATABASE_URLS = (DATABASE_URL, DIRECT_URL, READ_DATABASE_URL)


def check(environment: Mapping[str, str] = os.environ) -> None:
    """Check every setting that can be checked without looking at files, whoever will use it.

    Raises WrongSetting.
    """
    check_names(environment)
    access(environment)
    limits(environment)
    delivery_networks(environment)
    snapshots(environment)
    reviewers(environment)
    delivery_origin(environment)
    watch_networks(environment)
    watch_contact(environment)
    database_target(environment)
    pooled_target(environment)
    read_target(environment)
    token(environment)
    log_level(environment)
    log_format(environment)


def check_names(environment: Mapping[str, str]) -> None:
    """Refuse settings that there are not, such as misspelt ones. Raises WrongSetting."""
    known = [setting.variable for setting in SETTINGS]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            nearest = max(
                known,
                key=lambda other: SequenceMatcher(
                    None, name.removeprefix(PREFIX), other.removeprefix(PREFIX)
                ).ratio(),
            )
            raise WrongSetting(f"{name} is no setting: did you mean {nearest}?")


def secrets(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Values that must never be logged or printed: tokens, and passwords in addresses."""
    for setting in (WRITE_TOKEN, TOKEN, *DATABASE_URLS):
        yield environment.get(setting.variable, "")
    for setting in DATABASE_URLS:
        login = re.match(r"\w+://[^:/@]*:(.+)@", environment.get(setting.variable, ""))
        if login:
            yield from {login[1], unquote(login[1])}
    yield from secrets_in(environment.get(RELAY_URL.variable, ""))


def log_level(environment: Mapping[str, str] = os.environ) -> LogLevel:
    """The log level."""
    return _choice(LOG_LEVEL, LogLevel, environment)


def log_format(environment: Mapping[str, str] = os.environ) -> LogFormat:
    """In which form it is logged."""
    return _choice(LOG_FORMAT, LogFormat, environment)


def _choice(setting: Setting, kind: type[Choice], environment: Mapping[str, str]) -> Choice:
    return kind(read_word(setting, tuple(kind), environment))


def database_target(environment: Mapping[str, str] = os.environ) -> Target | None:
    """The PostgreSQL to use instead of the embedded one. Raises WrongSetting."""
    setting = DIRECT_URL if environment.get(DIRECT_URL.variable) else DATABASE_URL
    return _target(setting, database_url(environment))


def pooled_target(environment: Mapping[str, str] = os.environ) -> Target | None:
    """The pooler in front of it; None where there is none. Raises WrongSetting."""
    return _target(DATABASE_URL, pooled_url(environment))


def read_target(environment: Mapping[str, str] = os.environ) -> Target | None:
    """The standbys that questions are answered from; None where that is the primary. Raises
    WrongSetting."""
    return _target(READ_DATABASE_URL, environment.get(READ_DATABASE_URL.variable))


def database_variables(environment: Mapping[str, str] = os.environ) -> str:
    """The variables that name databases and are set, for messages."""
    used = [each.variable for each in DATABASE_URLS if environment.get(each.variable)]
    return " or ".join(used or [DATABASE_URL.variable])


def database_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """The PostgreSQL to use instead of the embedded one, without a pooler in between."""
    return environment.get(DIRECT_URL.variable) or environment.get(DATABASE_URL.variable) or None


def pooled_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """The pooler in front of it; None where there is none. Raises WrongSetting."""
    direct, url = (environment.get(setting.variable) for setting in (DIRECT_URL, DATABASE_URL))
    if direct and not url:
        raise WrongSetting(
            f"{DIRECT_URL.variable}: expected {DATABASE_URL.variable} as well, the pooler's"
        )
    return url if direct else None


def _target(setting: Setting, url: str | None) -> Target | None:
    try:
        return target_from_url(url) if url else None
    except InvalidInput as error:
        raise WrongSetting(f"{setting.variable}: {error.message}") from None


def token(environment: Mapping[str, str] = os.environ) -> str | None:
    """With what a log on the web is asked for. Raises WrongSetting."""
    return read_secret(TOKEN, environment)


def audit_dir(data_dir: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The directory of the signing keys; None where the log is not signed.

    A data directory has one embedded database and one log. Databases by URL may be many, so for
    them the directory is given or there is none: two logs must not share a signed head.
    """
    given = environment.get(AUDIT_DIR.variable)
    if given:
        return Path(given)
    return None if database_url(environment) else data_dir / "audit"


def snapshots(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The directory that snapshots are kept in; None where the database has them. Raises WrongSetting."""
    given = environment.get(SNAPSHOTS.variable) or SNAPSHOTS.default
    if given == SNAPSHOTS.default:
        return None
    if not Path(given).is_absolute():
        raise WrongSetting(
            f"{SNAPSHOTS.variable}={given}: expected `database` or the whole path of a directory"
        )
    return Path(given)


def reviewers(environment: Mapping[str, str] = os.environ) -> int:
    """How many persons have to accept a candidate. Raises WrongSetting."""
    given = environment.get(REVIEWERS.variable) or str(REVIEWERS.default)
    if given not in map(str, POSSIBLE_REVIEWERS):
        raise WrongSetting(f"{REVIEWERS.variable}={given}: expected 1 or 2")
    return int(given)


def signing(data_dir: Path, environment: Mapping[str, str] = os.environ) -> SigningOptions | None:
    """With what the log is signed; None where it is not. Raises InvalidInput."""
    directory = audit_dir(data_dir, environment)
    if directory is None:
        return None
    return SigningOptions(
        KeyStore(directory), environment.get(LOG_ORIGIN.variable) or None, _policy(environment)
    )


def _policy(environment: Mapping[str, str]) -> Policy:
    given = environment.get(WITNESSES.variable)
    if not given:
        return Policy()
    try:
        return Policy.parse(Path(given).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongSetting(f"{WITNESSES.variable}={given}: {error}") from None


def limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Limits for clients. Raises WrongSetting."""
    return Limits(
        connections=read_number(CONNECTIONS, 1, environment),
        client_connections=read_number(CLIENT_CONNECTIONS, 1, environment),
        head_bytes=read_number(HEAD_BYTES, 1024, environment),
        head_seconds=read_number(HEAD_SECONDS, 1, environment),
    )


def delivery(environment: Mapping[str, str] = os.environ) -> DeliveryOptions:
    """With what events are delivered to endpoints. Raises WrongSetting."""
    return DeliveryOptions(delivery_networks(environment), delivery_origin(environment))


def delivery_networks(environment: Mapping[str, str] = os.environ) -> Networks:
    """The networks that deliveries may go to beside the internet. Raises WrongSetting."""
    try:
        return Networks.parse(read_list(DELIVERY_NETWORKS, environment))
    except InvalidInput as error:
        raise WrongSetting(f"{DELIVERY_NETWORKS.variable}: {error.message}") from None


def delivery_origin(environment: Mapping[str, str] = os.environ) -> str:
    """The name by which receivers know this tracker. Raises WrongSetting."""
    hosts = (host for host in read_list(HOSTS, environment) if host != "*")
    given = environment.get(DELIVERY_ORIGIN.variable) or next(hosts, "localhost")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", given):
        raise WrongSetting(
            f"{DELIVERY_ORIGIN.variable}={given}: expected a name such as example.com"
        )
    return given


def watch_file(environment: Mapping[str, str] = os.environ) -> Path | bool:
    """Whether a server watches, and the file of the sources that are added to those that ship."""
    given = environment.get(WATCH.variable) or WATCH.default
    return {"off": False, "default": True}.get(given, Path(given))


def watch_networks(environment: Mapping[str, str] = os.environ) -> Networks:
    """The networks that sources may be in beside the internet. Raises WrongSetting."""
    try:
        return Networks.parse(read_list(WATCH_NETWORKS, environment))
    except InvalidInput as error:
        raise WrongSetting(f"{WATCH_NETWORKS.variable}: {error.message}") from None


def watch_contact(environment: Mapping[str, str] = os.environ) -> str | None:
    """Where publishers can ask about requests of the watch. Raises WrongSetting."""
    given = environment.get(WATCH_CONTACT.variable) or None
    if given and not re.fullmatch(r"[!-'*-~]{1,200}", given):
        raise WrongSetting(
            f"{WATCH_CONTACT.variable}: expected an address such as https://example.com/bot or"
            " someone@example.com, without spaces and parentheses"
        )
    return given
