"""Scopes, callers and tokens.

A token is 256 random bits, shown once. Its SHA-256 is what the database keeps: there is nothing to
guess in random bits, so a hash made slow against guessing would only make every request slow.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from tracker.errors import Forbidden, InvalidInput, Unauthenticated

TOKEN_PREFIX = "tracker_"
"""Begins every token, so that people and scanners of secrets know one when they see it."""
MAX_NAME_CHARACTERS = 100
"""The longest name of a token."""


IMPORT_ACTOR = "import"
"""The actor of what is imported."""
DEMO_ACTOR = "demo"
"""The actor of what is in a demo: of its corpus, and of all that anybody may write there."""
OTHER_ACTORS = frozenset(
    {DEMO_ACTOR, IMPORT_ACTOR, "command line", "token", "tracker", "anonymous"}
)
"""Actors that are no tokens of ours: a token of such a name would pass for one of them."""
ISSUER_NAME_MARKS = re.compile(r"[:/#\\]")
"""Stands in the names of callers of OpenID Connect issuers: `https://id.example#ann`."""


class Scope(Enum):
    """Scopes: the rights of a caller."""

    READ = "read"
    RECORD = "record"
    ENDPOINT = "endpoint"
    """To have events delivered: to add endpoints, and to see and manage those of one's own."""
    REVIEW = "review"
    """To decide on candidates, and so to have their facts recorded."""
    ADMIN = "admin"


def expand_scopes(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes that these give: all of them may read, and admin is all of them."""
    given = frozenset(scopes)
    if Scope.ADMIN in given:
        return frozenset(Scope)
    return given | {Scope.READ} if given else given


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller and its scopes. A caller without a token has no name."""

    name: str | None = None
    scopes: frozenset[Scope] = frozenset()

    def require(self, scope: Scope) -> None:
        """Refuse a caller without a scope. Raises Unauthenticated where a token might help, and
        Forbidden where the one that was given does not."""
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
    """A token that nobody has had before."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(secret: str) -> bytes:
    """The hash by which the database stores a token."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def parse_bearer(authorization: str) -> str | None:
    """The token in an Authorization header; None where there is none or it is of another scheme."""
    scheme, _, given = authorization.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def check_name(name: str) -> str:
    """The name of a new token, which events will have as their actor. Raises InvalidInput.

    Names that pass for actors of another kind are refused, in whatever width, case and spacing.
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
