"""The values of settings, from the environment; `table.py` names them, `access.py` has those of access.

Each function raises WrongSetting.
"""

import os
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote

from deploy.config.access import access
from deploy.config.environment import check_names
from deploy.config.mail import mail, mail_secrets, mail_site
from deploy.config.table import TABLE, Setting
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
from tracker.watch.settings import load_sources
from tracker.watch.watcher import WatchOptions
from tracker.web.fetcher import AGENT
from tracker.web.networks import Networks

PACKAGE = "critical-minerals-policy-tracker"
DATABASE_URLS = (TABLE["DATABASE_URL"], TABLE["DIRECT_URL"], TABLE["READ_DATABASE_URL"])


def check(environment: Mapping[str, str] = os.environ) -> None:
    """Check every setting that needs no other file, whichever command will use it."""
    check_names(environment)
    for read in (
        access,
        limits,
        delivery,
        mail,
        snapshots,
        reviewers,
        watch_networks,
        watch_contact,
        database_target,
        pooled_target,
        read_target,
        token,
        log_level,
        log_format,
    ):
        read(environment)


def secrets(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield the values that must not appear in logs or output: tokens, and passwords in addresses."""
    for setting in (TABLE["WRITE_TOKEN"], TABLE["TOKEN"], *DATABASE_URLS):
        yield setting.text(environment) or ""
    for setting in DATABASE_URLS:
        login = re.match(r"\w+://[^:/@]*:(.+)@", setting.text(environment) or "")
        if login:
            yield from {login[1], unquote(login[1])}
    yield from mail_secrets(environment)
    yield from secrets_in(TABLE["RELAY_URL"].text(environment) or "")


def log_level(environment: Mapping[str, str] = os.environ) -> LogLevel:
    """Return the least severity that is logged."""
    return TABLE["LOG_LEVEL"].choice(LogLevel, environment)


def log_format(environment: Mapping[str, str] = os.environ) -> LogFormat:
    """Return the format of log lines."""
    return TABLE["LOG_FORMAT"].choice(LogFormat, environment)


def database_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of the database without the pooler, or None for the embedded server."""
    return TABLE["DIRECT_URL"].text(environment) or TABLE["DATABASE_URL"].text(environment)


def database_variables(environment: Mapping[str, str] = os.environ) -> str:
    """Return the variables that name databases and are set, for messages."""
    used = [each.variable for each in DATABASE_URLS if each.text(environment)]
    return " or ".join(used or [TABLE["DATABASE_URL"].variable])


def database_target(environment: Mapping[str, str] = os.environ) -> Target | None:
    """Return the database without the pooler, or None for the embedded server."""
    direct = TABLE["DIRECT_URL"].text(environment)
    return _target(
        TABLE["DIRECT_URL"] if direct else TABLE["DATABASE_URL"], database_url(environment)
    )


def pooled_target(environment: Mapping[str, str] = os.environ) -> Target | None:
    """Return the pooler before the database, or None if there is none."""
    direct, url = TABLE["DIRECT_URL"].text(environment), TABLE["DATABASE_URL"].text(environment)
    if direct and not url:
        raise TABLE["DIRECT_URL"].wrong(
            f"expected {TABLE['DATABASE_URL'].variable} as well, the pooler's"
        )
    return _target(TABLE["DATABASE_URL"], url if direct else None)


def read_target(environment: Mapping[str, str] = os.environ) -> Target | None:
    """Return the standbys that answer queries, or None if the primary does."""
    return _target(TABLE["READ_DATABASE_URL"], TABLE["READ_DATABASE_URL"].text(environment))


def _target(setting: Setting, url: str | None) -> Target | None:
    try:
        return target_from_url(url) if url else None
    except InvalidInput as error:
        raise setting.wrong(error.message) from None


def token(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the token for reading a remote log."""
    return TABLE["TOKEN"].secret(environment)


def audit_dir(data_dir: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the directory of the signing keys, or None if the log is not signed.

    A data directory has one embedded database and one log. Databases by URL may be many, so they have no
    default directory: two logs must not share a signed head.
    """
    directory = TABLE["AUDIT_DIR"].text(environment)
    if directory:
        return Path(directory)
    return None if database_url(environment) else data_dir / "audit"


def snapshots(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the directory of the snapshots, or None if the database has them."""
    place = TABLE["SNAPSHOTS"].text(environment) or TABLE["SNAPSHOTS"].default
    if place == TABLE["SNAPSHOTS"].default:
        return None
    if not Path(place).is_absolute():
        raise TABLE["SNAPSHOTS"].wrong(
            "expected `database` or the whole path of a directory", place
        )
    return Path(place)


def reviewers(environment: Mapping[str, str] = os.environ) -> int:
    """Return the number of persons who have to accept a candidate."""
    return int(TABLE["REVIEWERS"].word(tuple(map(str, POSSIBLE_REVIEWERS)), environment))


def signing(data_dir: Path, environment: Mapping[str, str] = os.environ) -> SigningOptions | None:
    """Return the signing options, or None if signing is disabled."""
    directory = audit_dir(data_dir, environment)
    if directory is None:
        return None
    origin = TABLE["LOG_ORIGIN"].text(environment)
    return SigningOptions(KeyStore(directory), origin, _policy(environment))


def _policy(environment: Mapping[str, str]) -> Policy:
    file = TABLE["WITNESSES"].text(environment)
    try:
        return Policy.parse(Path(file).read_text(encoding="utf-8")) if file else Policy()
    except (OSError, ValueError) as error:
        raise TABLE["WITNESSES"].wrong(str(error), file) from None


def limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Return the limits of connections and request heads."""
    return Limits(
        connections=TABLE["CONNECTIONS"].number(1, environment),
        client_connections=TABLE["CLIENT_CONNECTIONS"].number(1, environment),
        head_bytes=TABLE["HEAD_BYTES"].number(1024, environment),
        head_seconds=TABLE["HEAD_SECONDS"].number(1, environment),
    )


def delivery(environment: Mapping[str, str] = os.environ) -> DeliveryOptions:
    """Return the options of deliveries to endpoints."""
    origin = delivery_origin(environment)
    site = mail_site(environment) or f"https://{origin}"
    return DeliveryOptions(delivery_networks(environment), origin, site=site)


def delivery_networks(environment: Mapping[str, str] = os.environ) -> Networks:
    """Return the networks beside the internet that deliveries may go to."""
    return TABLE["DELIVERY_NETWORKS"].networks(environment)


def delivery_origin(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name by which receivers know this tracker."""
    hosts = (host for host in TABLE["HOSTS"].items(environment) if host != "*")
    name = TABLE["DELIVERY_ORIGIN"].text(environment) or next(hosts, "localhost")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", name):
        raise TABLE["DELIVERY_ORIGIN"].wrong("expected a name such as example.com", name)
    return name


def watch_networks(environment: Mapping[str, str] = os.environ) -> Networks:
    """Return the networks beside the internet that sources may be in."""
    return TABLE["WATCH_NETWORKS"].networks(environment)


def watch_contact(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the contact for publishers' queries about the watcher."""
    contact = TABLE["WATCH_CONTACT"].text(environment)
    if contact and not re.fullmatch(r"[!-'*-~]{1,200}", contact):
        raise TABLE["WATCH_CONTACT"].wrong(
            "expected an address such as https://example.com/bot or someone@example.com, without"
            " spaces and parentheses"
        )
    return contact


def watch_options(
    environment: Mapping[str, str] = os.environ, *, file: Path | None = None, always: bool = False
) -> WatchOptions | None:
    """Return the options of the watcher, or None if the settings switch it off; `always` overrules them.

    `file` takes the place of the file of the settings. Raises InvalidInput if that one is wrong.
    """
    value = TABLE["WATCH"].text(environment) or TABLE["WATCH"].default
    if value == "off" and not always:
        return None
    from tracker.watch.registry import adapter_named  # here, as it would delay every start

    try:
        added = file or (None if value in ("off", "default") else Path(value))
        sources = load_sources(added, adapter_named)
    except InvalidInput as error:
        if file is not None:
            raise
        raise TABLE["WATCH"].wrong(error.message) from None
    contact = watch_contact(environment)
    agent = f"{AGENT}/{version(PACKAGE)}" + (f" (+{contact})" if contact else "")
    return WatchOptions(
        sources, adapter_named, watch_networks(environment), agent, snapshots(environment)
    )
