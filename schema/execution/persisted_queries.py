"""Persisted queries: a client sends the hash of a document, and the document itself only once.

The protocol is Apollo's "automatic persisted queries", version 1: `extensions.persistedQuery` has a
`version` and a `sha256Hash`. A hash that is not known is answered with PERSISTED_QUERY_NOT_FOUND;
the client then sends hash and document together. Documents are kept in memory and may be forgotten
at any time: that costs a client one more request.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from projections.lru_cache import SizedLruCache
from schema.execution.documents import MAX_DOCUMENT_CHARACTERS
from tracker.errors import InvalidInput, NotFound

VERSION = 1
SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
MAX_CACHE_BYTES = 4 * 1024 * 1024
PATH = "extensions", "persistedQuery"


class PersistedQueries:
    """The documents that clients have sent with their hashes."""

    def __init__(self, most_bytes: int = MAX_CACHE_BYTES):
        self.documents: SizedLruCache[str, str] = SizedLruCache(most_bytes)

    def document(self, given: str | None, extensions: Mapping[str, Any] | None) -> str | None:
        """The document that a request means: the one given, or the one of its hash.

        Raises InvalidInput where hash and document do not belong together, and NotFound for a hash
        without a document.
        """
        asked = (extensions or {}).get("persistedQuery")
        if asked is None:
            return given
        hash = _hash(asked)
        if not given:
            return self._known(hash)
        encoded = given.encode(errors="surrogatepass")
        if hashlib.sha256(encoded).hexdigest() != hash:
            raise InvalidInput(
                "provided sha does not match query", code="BAD_REQUEST", path=(*PATH, "sha256Hash")
            )
        if len(given) <= MAX_DOCUMENT_CHARACTERS:
            self.documents.put(hash, given, len(encoded))
        return given

    def _known(self, hash: str) -> str:
        document = self.documents.get(hash)
        if document is None:
            raise NotFound("PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
        return document


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
