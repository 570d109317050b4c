"""Authentication by JWTs of an OpenID Connect issuer, validated according to RFC 8725.

The token's own header is used only for the id of its key, which selects one of the issuer's published keys.
The algorithm must be permitted for that key, regardless of the token.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import jwt
from msgspec import Struct, field

from tracker.auth.jwks import IssuerKeys
from tracker.auth.scopes import TOKEN_PREFIX, Caller, Scope, expand_scopes, token_hash
from tracker.errors import Unauthenticated

LEEWAY_SECONDS = 30
"""Permitted difference in seconds between the clocks of the issuer and of this machine."""
CACHE_SECONDS = 60.0
"""Seconds for which a verified token is cached until it expires: verification takes 0.2 ms."""
MAX_CACHED_TOKENS = 10_000
MAX_TOKEN_CHARACTERS = 8192
"""Maximum length of a token."""
MAX_ACTOR_CHARACTERS = 200
"""Maximum length of a caller's name from an issuer; it is recorded permanently."""
TOKEN_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""Accepted types of tokens: an issuer signs other documents too, such as logout tokens."""


def default_scopes() -> dict[str, Scope]:
    """Return the default scopes of words in tokens: `tracker:record` is the scope record."""
    return {f"tracker:{scope.value}": scope for scope in Scope}


class OidcConfig(Struct, frozen=True):
    """The trusted issuer, and the mapping of its tokens."""

    issuer: str
    audience: str
    """Required audience of its tokens: other services of the issuer could replay tokens for themselves."""
    keys_url: str | None = None
    """Address of its keys; None: from its own configuration."""
    actor: str = "sub"
    """Claim with the caller's name."""
    scope: str = "scope"
    """Claim with the scopes: words, a list of words, or an object with words as keys. Dots separate the
    path in nested objects (`realm_access.roles`)."""
    scopes: Mapping[str, Scope] = field(default_factory=default_scopes)
    """Scopes of the words of that claim; other words are ignored."""


class OidcIssuer:
    """Authenticates callers by tokens of an OpenID Connect issuer."""

    def __init__(self, trust: OidcConfig, keys: IssuerKeys | None = None):
        self._trust = trust
        self._keys = keys or IssuerKeys(trust.issuer, trust.keys_url)
        self._cached: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def authenticate(self, token: str) -> Caller:
        """Return the caller of a token, named by issuer and name: `https://id.example#ann`.

        Raises Unauthenticated with the reason, and Unavailable.
        """
        key = token_hash(token)
        until, caller = self._cached.get(key, (0.0, None))
        if caller is not None and time.time() < until:
            return caller
        self._cached.pop(key, None)
        claims = await self._verify(token)
        caller = self._caller(claims)
        self._cached[key] = (
            min(time.time() + CACHE_SECONDS, float(claims["exp"]) + LEEWAY_SECONDS),
            caller,
        )
        while len(self._cached) > MAX_CACHED_TOKENS:
            self._cached.popitem(last=False)
        return caller

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        scopes = {
            self._trust.scopes[word]
            for word in split_scopes(claims, self._trust.scope)
            if word in self._trust.scopes
        }
        return Caller(f"{self._trust.issuer}#{self._name(claims)}", expand_scopes(scopes))

    async def _verify(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a valid token. Raises Unauthenticated for any other."""
        try:
            return await self._claims(token)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("this token has expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise Unauthenticated(f"this token is refused: {error}"[:300]) from None

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token after checking its signature, issuer, audience and times."""
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ValueError(f"expected at most {MAX_TOKEN_CHARACTERS} letters")
        header = jwt.get_unverified_header(token)
        id, algorithm, type = (header.get(name) for name in ("kid", "alg", "typ"))
        if not isinstance(id, str) or "crit" in header:
            raise ValueError("expected a key id (kid) and no extension (crit)")
        if type is not None and str(type).lower() not in TOKEN_TYPES:
            raise ValueError("expected the type JWT or at+jwt")
        key = await self._keys.get(id)
        if key is None or algorithm not in key.algorithms:
            raise ValueError("expected a key and algorithm of the issuer's")
        return jwt.decode(
            token,
            key.public,
            algorithms=[str(algorithm)],
            audience=self._trust.audience,
            issuer=self._trust.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud"]},
        )

    def _name(self, claims: Mapping[str, Any]) -> str:
        name = claims.get(self._trust.actor)
        if (
            not isinstance(name, str)
            or not 0 < len(name) <= MAX_ACTOR_CHARACTERS
            or not name.isprintable()
        ):
            raise Unauthenticated(
                f"expected a token whose {self._trust.actor!r} is 1 to"
                f" {MAX_ACTOR_CHARACTERS} printable characters"
            )
        return name


def is_jwt(secret: str) -> bool:
    """Return whether a bearer token has the form of a JWT; the tracker's own tokens do not."""
    return secret.count(".") == 2 and not secret.startswith(TOKEN_PREFIX)


def split_scopes(claims: Mapping[str, Any], name: str) -> Iterable[str]:
    """Return the words of a claim, by its name or its path; empty if there are none."""
    value: Any = claims.get(name)
    if value is None:
        value = claims
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value.split()
    return (
        [word for word in value if isinstance(word, str)] if isinstance(value, list | dict) else []
    )
