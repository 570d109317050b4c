"""What the settings say of who may ask what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from strawberry.http.websocket_origin import normalize_allowed_origins

from deploy.config.setting_table import (
    DOCUMENTS,
    HOSTS,
    INTROSPECTION,
    OIDC_ACTOR,
    OIDC_AUDIENCE,
    OIDC_ISSUER,
    OIDC_KEYS,
    OIDC_SCOPE,
    OIDC_SCOPES,
    OPERATIONS,
    ORIGINS,
    OTHER_DOCUMENTS,
    QUESTIONS,
    RATE,
    READ,
    WRITE_TOKEN,
)
from deploy.config.setting_values import (
    WrongSetting,
    read_list,
    read_number,
    read_secret,
    read_word,
)
from schema.execution.persisted_documents import TrustedDocuments
from schema.services import Access
from tracker.auth.jwks import is_trustworthy_url
from tracker.auth.oidc_issuer import OidcConfig, default_scopes
from tracker.auth.scopes import Scope
from tracker.errors import InvalidInput


def access(environment: Mapping[str, str] = os.environ, *, demo: bool = False) -> Access:
    """Access rules. In the demo everyone may write, unless a write token is set.

    Raises WrongSetting.
    """
    token = read_secret(WRITE_TOKEN, environment)
    return Access(
        token=token,
        oidc=_trust(environment),
        open=demo and token is None,
        read_open=read_word(READ, ("open", "token"), environment) == "open",
        introspection=read_word(INTROSPECTION, ("on", "off"), environment) == "on",
        hosts=frozenset(name.lower() for name in read_list(HOSTS, environment)),
        origins=_origins(environment),
        rate=read_number(RATE, 0, environment),
        operations=read_number(OPERATIONS, 1, environment),
        questions=read_number(QUESTIONS, 1, environment),
    )


def trusted_documents(environment: Mapping[str, str] = os.environ) -> TrustedDocuments:
    """The documents that clients may name, and whether no others are answered. Raises WrongSetting."""
    file = environment.get(DOCUMENTS.variable)
    only = read_word(OTHER_DOCUMENTS, ("answer", "refuse"), environment) == "refuse"
    if not file:
        if only:
            raise WrongSetting(
                f"{OTHER_DOCUMENTS.variable}=refuse: expected the documents that are not refused in"
                f" {DOCUMENTS.variable}"
            )
        return TrustedDocuments()
    try:
        return TrustedDocuments.from_manifest(Path(file).read_bytes(), only)
    except OSError as error:
        raise WrongSetting(f"{DOCUMENTS.variable}={file}: {error.strerror}") from None
    except InvalidInput as error:
        where = ".".join(map(str, error.path))
        raise WrongSetting(
            f"{DOCUMENTS.variable}={file}: {f'{where}: ' if where else ''}{error.message}"
        ) from None


def _trust(environment: Mapping[str, str]) -> OidcConfig | None:
    """The issuer that is trusted. Without an audience it would be whatever it issues to anyone."""
    issuer, audience, keys, actor, scope = (
        environment.get(setting.variable)
        for setting in (OIDC_ISSUER, OIDC_AUDIENCE, OIDC_KEYS, OIDC_ACTOR, OIDC_SCOPE)
    )
    if not issuer:
        return None
    for setting, address in ((OIDC_ISSUER, issuer), (OIDC_KEYS, keys)):
        if address and (not is_trustworthy_url(address) or "@" in urlsplit(address).netloc):
            raise WrongSetting(f"{setting.variable}: expected an https address without a password")
    if not audience:
        raise WrongSetting(f"{OIDC_AUDIENCE.variable}: expected what tokens of {issuer} are for")
    return OidcConfig(
        issuer,
        audience,
        keys or None,
        actor or OIDC_ACTOR.default,
        scope or OIDC_SCOPE.default,
        _meanings(environment) or default_scopes(),
    )


def _meanings(environment: Mapping[str, str]) -> dict[str, Scope]:
    """The scopes that words in OpenID Connect tokens stand for."""
    try:
        return {
            word: Scope(scope)
            for word, _, scope in (
                pair.rpartition("=") for pair in read_list(OIDC_SCOPES, environment)
            )
        }
    except ValueError:
        raise WrongSetting(
            f"{OIDC_SCOPES.variable}: expected words and scopes, such as"
            f" editors=record; scopes are {', '.join(s.value for s in Scope)}"
        ) from None


def _origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(normalize_allowed_origins(read_list(ORIGINS, environment))))
    except ValueError:
        raise WrongSetting(
            f"{ORIGINS.variable}: expected origins such as https://example.com"
        ) from None
