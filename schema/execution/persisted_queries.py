"""The document that a request means: given as text, by its id, or by its hash.

Ids (`documentId`) are those of "Persisted Documents" in GraphQL over HTTP: of documents that the
operator trusts, and of those that a client sent once with their id. Hashes are those of Apollo's
"automatic persisted queries", version 1: `extensions.persistedQuery` has a `version` and a
`sha256Hash`. What is not known is answered with DOCUMENT_NOT_FOUND or PERSISTED_QUERY_NOT_FOUND; the
client then sends the document once more with its id or hash. Documents of clients are kept in memory
and may be forgotten at any time: that costs a client one more request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from projections.lru_cache import SizedLruCache
from schema.execution.documents import MAX_DOCUMENT_CHARACTERS
from schema.execution.trusted_documents import (
    SHA256_PREFIX,
    TrustedDocuments,
    document_id,
    is_document_id,
)
from tracker.errors import InvalidInput, NotFound, Path

VERSION = 1
SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
MAX_CACHE_BYTES = 4 * 1024 * 1024
PATH = "extensions", "persistedQuery"
ID = "documentId"


class PersistedQueries:
    """The trusted documents, and those that clients have sent with their ids or hashes."""

    def __init__(self, most_bytes: int = MAX_CACHE_BYTES, trusted: TrustedDocuments | None = None):
        self.documents: SizedLruCache[str, str] = SizedLruCache(most_bytes)
        self._trusted = trusted or TrustedDocuments()

    def document(
        self, given: str | None, extensions: Mapping[str, Any] | None, id: str | None = None
    ) -> str | None:
        """The document that a request means: the one given, or the one of its id or hash.

        Raises InvalidInput where an id or hash and a document do not belong together, NotFound for
        one without a document, and Forbidden for a document that is not trusted where only those are.
        """
        if given:
            self._trusted.require(given)
        asked = (extensions or {}).get("persistedQuery")
        if id is not None:
            return self._of_id(id, given)
        if asked is None:
            return given
        hash = _hash(asked)
        if given:
            return self._remembered(
                hash, given, "provided sha does not match query", (*PATH, "sha256Hash")
            )
        document = self._known(f"{SHA256_PREFIX}{hash}")
        if document is None:
            raise NotFound("PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
        return document

    def _of_id(self, id: str, given: str | None) -> str:
        if not is_document_id(id):
            raise InvalidInput(
                "expected `sha256:` and 64 hexadecimal digits in lower case, or an id of a trusted"
                " document",
                code="BAD_REQUEST",
                path=(ID,),
            )
        if given and id.startswith(SHA256_PREFIX):
            hash = id.removeprefix(SHA256_PREFIX)
            return self._remembered(hash, given, "the document has another hash", (ID,))
        document = self._known(id)
        if document is None:
            raise NotFound(
                "no document of this id is known here", code="DOCUMENT_NOT_FOUND", path=(ID,)
            )
        if given not in (None, "", document):
            raise InvalidInput("the id is of another document", code="BAD_REQUEST", path=(ID,))
        return document

    def _known(self, id: str) -> str | None:
        """The document of an id, if it is a trusted one or there still."""
        trusted = self._trusted.by_id.get(id)
        return self.documents.get(id.removeprefix(SHA256_PREFIX)) if trusted is None else trusted

    def _remembered(self, hash: str, given: str, wrong: str, path: Path) -> str:
        """A document, kept by its hash. Raises InvalidInput with the message `wrong` for another hash."""
        if document_id(given) != f"{SHA256_PREFIX}{hash}":
            raise InvalidInput(wrong, code="BAD_REQUEST", path=path)
        if len(given) <= MAX_DOCUMENT_CHARACTERS:
            self.documents.put(hash, given, len(given.encode(errors="surrogatepass")))
        return given


def _hash(asked: Any) -> str:
    """The hash in what a client says of a persisted query."""
    if not isinstance(asked, Mapping):
        raise InvalidInput("expected an object", code="BAD_REQUEST", path=PATH)
    if asked.get("version") != VERSION:
        raise InvalidInput(
            f"Unsupported persisted query version: expected {VERSION}",
            code="BAD_REQUEST",
            path=(*PATH, "version"),
        )
    hash = asked.get("sha256Hash")
    if not isinstance(hash, str) or not SHA256.fullmatch(hash):
        raise InvalidInput(
            "expected the SHA-256 of a document as 64 hexadecimal digits",
            code="BAD_REQUEST",
            path=(*PATH, "sha256Hash"),
        )
    return hash.lower()
