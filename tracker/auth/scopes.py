"""Scopes, callers and tokens.

A token is 256 random bits, shown once. The database stores its SHA-256. Random bits cannot be guessed, so a
slow hash would only delay every request.
"""

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable
from enum import Enum

from msgspec import Struct

from tracker.errors import Forbidden, InvalidInput, Unauthenticated

TOKEN_PREFIX = "tracker_"
"""Prefix of every token, for recognition by people and secret scanners."""
MAX_NAME_CHARACTERS = 100
"""Maximum length of a token's name."""


IMPORT_ACTOR = "import"
"""Actor of imports."""
DEMO_ACTOR = "demo"
"""Actor in a demo: of its corpus, and of all anonymous writes."""
OTHER_ACTORS = frozenset(
    {DEMO_ACTOR, IMPORT_ACTOR, "command line", "token", "tracker", "anonymous"}
)
"""Actors without tokens: a token with such a name could impersonate them."""
ISSUER_NAME_MARKS = re.compile(r"[:/#\\]")
"""Separators in the names of callers of OpenID Connect issuers: `https://id.example#ann`."""


class Scope(Enum):
    """Scopes: the rights of a caller."""

    READ = "read"
    RECORD = "record"
    ENDPOINT = "endpoint"
    """Receive deliveries: add endpoints, and view and manage one's own."""
    REVIEW = "review"
    """Decide on candidates, which records their facts."""
    SCENARIO = "scenario"
    """Create scenarios, and change one's own."""
    ADMIN = "admin"


def expand_scopes(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """Return all scopes that these include: all of them include read, and admin includes all."""
    granted = frozenset(scopes)
    if Scope.ADMIN in granted:
        return frozenset(Scope)
    return granted | {Scope.READ} if granted else granted


class Caller(Struct, frozen=True):
    """A caller and its scopes. A caller without a token has no name."""

    name: str | None = None
    scopes: frozenset[Scope] = frozenset()

    def require(self, scope: Scope) -> None:
        """Reject a caller without a scope.

        Raises Unauthenticated if there is no token, and Forbidden if its scopes are insufficient.
        """
        if scope in self.scopes:
            return
        if self.name is None:
            raise Unauthenticated(
                f"expected the header 'Authorization: Bearer …' with a token of scope {scope.value}"
            )
        raise Forbidden(
            f"expected a token of scope {scope.value}: {self.name!r} has"
            f" {', '.join(sorted(had.value for had in self.scopes)) or 'none'}"
        )


def generate_token() -> str:
    """Return a new random token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(secret: str) -> bytes:
    """Return the hash under which the database stores a token."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def parse_bearer(authorization: str) -> str | None:
    """Return the token in an Authorization header; None if there is none or the scheme differs."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def check_name(name: str) -> str:
    """Return the name of a new token, which is the actor of its events. Raises InvalidInput.

    Names that look like other kinds of actors are rejected, in any width, case and spacing.
    """
    if not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable() or name != name.strip():
        raise InvalidInput(
            f"expected 1 to {MAX_NAME_CHARACTERS} printable characters", path=("name",)
        )
    plain = unicodedata.normalize("NFKC", name).casefold()
    if ISSUER_NAME_MARKS.search(plain):
        raise InvalidInput(
            "expected a name without ':', '/', '#' and '\\': names of callers of an"
            " identity provider have them",
            code="RESERVED_NAME",
            path=("name",),
        )
    if re.sub(r"[\W_]+", " ", plain).strip() in OTHER_ACTORS | {""}:
        raise InvalidInput(
            f"expected another name than {', '.join(sorted(OTHER_ACTORS))}: events"
            " that are recorded otherwise have these as their actors",
            code="RESERVED_NAME",
            path=("name",),
        )
    return name
