"""The access settings: readers, writers and allowed queries. Each function raises WrongSetting."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from strawberry.http.websocket_origin import normalize_allowed_origins

from deploy.config.table import TABLE
from schema.execution.persisted_documents import TrustedDocuments
from schema.services import Access
from tracker.auth.jwks import is_trustworthy_url
from tracker.auth.oidc_issuer import OidcConfig, default_scopes
from tracker.auth.scopes import Scope
from tracker.errors import InvalidInput


def access(environment: Mapping[str, str] = os.environ, *, demo: bool = False) -> Access:
    """Return the access rules. In the demo everyone may write, unless a write token is set."""
    token = TABLE["WRITE_TOKEN"].secret(environment)
    return Access(
        token=token,
        oidc=_oidc(environment),
        open=demo and token is None,
        read_open=TABLE["READ"].word(("open", "token"), environment) == "open",
        introspection=TABLE["INTROSPECTION"].word(("on", "off"), environment) == "on",
        hosts=frozenset(name.lower() for name in TABLE["HOSTS"].items(environment)),
        origins=_origins(environment),
        rate=TABLE["RATE"].number(0, environment),
        operations=TABLE["OPERATIONS"].number(1, environment),
        queries=TABLE["QUERIES"].number(1, environment),
        security_contact=_security_contact(environment),
    )


def _security_contact(environment: Mapping[str, str]) -> str:
    setting = TABLE["SECURITY_CONTACT"]
    contact = setting.text(environment) or ""
    if contact and not re.fullmatch(r"(https://|mailto:|tel:)[^\s]+", contact):
        raise setting.wrong(
            "expected an address that begins with https://, mailto: or tel:", contact
        )
    return contact


def trusted_documents(environment: Mapping[str, str] = os.environ) -> TrustedDocuments:
    """Return the documents that clients may name, and whether the server refuses all others."""
    file = TABLE["DOCUMENTS"].text(environment)
    only = TABLE["OTHER_DOCUMENTS"].word(("answer", "refuse"), environment) == "refuse"
    if not file:
        if only:
            raise TABLE["OTHER_DOCUMENTS"].wrong(
                f"expected the documents that are not refused in {TABLE['DOCUMENTS'].variable}",
                "refuse",
            )
        return TrustedDocuments()
    try:
        return TrustedDocuments.from_manifest(Path(file).read_bytes(), only)
    except OSError as error:
        raise TABLE["DOCUMENTS"].wrong(str(error.strerror), file) from None
    except InvalidInput as error:
        place = ".".join(map(str, error.path))
        problem = f"{place}: {error.message}" if place else error.message
        raise TABLE["DOCUMENTS"].wrong(problem, file) from None


def _oidc(environment: Mapping[str, str]) -> OidcConfig | None:
    """Return the trusted issuer. Its audience is required: the issuer serves other applications too."""
    issuer, keys = TABLE["OIDC_ISSUER"].text(environment), TABLE["OIDC_KEYS"].text(environment)
    if not issuer:
        return None
    for setting, url in ((TABLE["OIDC_ISSUER"], issuer), (TABLE["OIDC_KEYS"], keys)):
        if url and (not is_trustworthy_url(url) or "@" in urlsplit(url).netloc):
            raise setting.wrong("expected an https address without a password")
    audience = TABLE["OIDC_AUDIENCE"].text(environment)
    if not audience:
        raise TABLE["OIDC_AUDIENCE"].wrong(f"expected the audience of the tokens of {issuer}")
    return OidcConfig(
        issuer,
        audience,
        keys,
        TABLE["OIDC_ACTOR"].text(environment) or TABLE["OIDC_ACTOR"].default,
        TABLE["OIDC_SCOPE"].text(environment) or TABLE["OIDC_SCOPE"].default,
        _scopes(environment) or default_scopes(),
    )


def _scopes(environment: Mapping[str, str]) -> dict[str, Scope]:
    """Return the scopes by their words in OpenID Connect tokens."""
    pairs = (pair.rpartition("=") for pair in TABLE["OIDC_SCOPES"].items(environment))
    try:
        return {word: Scope(scope) for word, _, scope in pairs}
    except ValueError:
        raise TABLE["OIDC_SCOPES"].wrong(
            "expected words and scopes, such as editors=record; scopes are"
            f" {', '.join(scope.value for scope in Scope)}"
        ) from None


def _origins(environment: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(normalize_allowed_origins(TABLE["ORIGINS"].items(environment))))
    except ValueError:
        raise TABLE["ORIGINS"].wrong("expected origins such as https://example.com") from None
