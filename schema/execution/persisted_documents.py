"""Lookup of the document of a request: given as text, by its id, or by its hash.

Ids (`documentId`) are those of the appendix "Persisted Documents" of GraphQL over HTTP: `sha256:` and the
hash of a document in lower case, or any id without a colon that a manifest gives, such as an MD5 of Relay's
compiler. Documents of the manifest are trusted, and a server may be configured to execute no others. Hashes
are those of Apollo's "automatic persisted queries", version 1: `extensions.persistedQuery` has a `version`
and a `sha256Hash`.

The response to an unknown id or hash is DOCUMENT_NOT_FOUND or PERSISTED_QUERY_NOT_FOUND; the client then
sends the document again with its id or hash. Documents of clients are cached in memory and may be dropped
at any time, which costs a client one more request.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from graphql import GraphQLSyntaxError, parse
from msgspec import Struct, field

from projections.lru_cache import SizedLruCache
from schema.execution.document_size import MAX_TOKENS
from schema.execution.documents import MAX_DOCUMENT_CHARACTERS
from tracker.errors import Forbidden, InvalidInput, NotFound, Path

SHA256_PREFIX = "sha256:"
DOCUMENT_ID = re.compile(
    r"sha256:[0-9a-f]{64}|x-[A-Za-z0-9._~-]+:[A-Za-z0-9._~-]+|[A-Za-z0-9._~-]+", re.ASCII
)
MAX_ID_CHARACTERS = 200
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_MANIFEST_DOCUMENTS = 10_000
APOLLO_FORMAT = "apollo-persisted-query-manifest"
VERSION = 1
SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
MAX_CACHE_BYTES = 4 * 1024 * 1024
PATH = "extensions", "persistedQuery"
ID = "documentId"


class TrustedDocuments(Struct, frozen=True):
    """The documents of a manifest."""

    by_id: Mapping[str, str] = field(default_factory=dict)
    """Documents by their ids in the manifest, and by their hashes."""
    only: bool = False
    """Whether only these documents are executed."""

    @classmethod
    def from_manifest(cls, manifest: bytes, only: bool = False) -> TrustedDocuments:
        """Read a manifest.

        It is a JSON object of documents by their ids, in the format of Relay's compiler and
        graphql-codegen, or in Apollo's format of version 1. Raises InvalidInput.
        """
        if len(manifest) > MAX_MANIFEST_BYTES:
            raise InvalidInput(f"expected at most {MAX_MANIFEST_BYTES} bytes", code="TOO_LARGE")
        by_id: dict[str, str] = {}
        for number, (id, document) in enumerate(_entries(manifest)):
            if number == MAX_MANIFEST_DOCUMENTS:
                raise InvalidInput(
                    f"expected at most {MAX_MANIFEST_DOCUMENTS} documents", code="TOO_LARGE"
                )
            _check(id, document)
            if by_id.setdefault(id, document) != document:
                raise InvalidInput("expected one document of this id", path=(id,))
            by_id[document_id(document)] = document
        return cls(by_id, only)

    def require(self, document: str) -> None:
        """Refuse a document that is not trusted, if only trusted ones are executed. Raises Forbidden."""
        if self.only and document_id(document) not in self.by_id:
            raise Forbidden(
                "this server answers only documents that it was given: expected one of these, as"
                " `documentId` or letter for letter",
                code="DOCUMENT_NOT_TRUSTED",
            )


def document_id(document: str) -> str:
    """Return the id of a document from its content."""
    encoded = document.encode(errors="surrogatepass")
    return f"{SHA256_PREFIX}{hashlib.sha256(encoded).hexdigest()}"


def is_document_id(text: str) -> bool:
    """Return whether a text has the form of an id."""
    return len(text) <= MAX_ID_CHARACTERS and DOCUMENT_ID.fullmatch(text) is not None


def _entries(manifest: bytes) -> Iterator[tuple[str, Any]]:
    """Yield the ids and documents of a manifest."""
    try:
        content = orjson.loads(manifest)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"expected JSON: {error}", code="INVALID_JSON") from None
    if not isinstance(content, dict):
        raise InvalidInput("expected an object of documents by their ids")
    if content.get("format") != APOLLO_FORMAT:
        yield from content.items()
        return
    operations = content.get("operations")
    if content.get("version") != 1 or not isinstance(operations, list):
        raise InvalidInput("expected version 1 with a list of operations", path=("version",))
    for at, operation in enumerate(operations):
        if not isinstance(operation, dict) or not isinstance(operation.get("id"), str):
            raise InvalidInput("expected an operation with an id", path=("operations", at))
        yield operation["id"], operation.get("body")


def _check(id: str, document: Any) -> None:
    """Refuse invalid documents, and those that do not match their id. Raises InvalidInput."""
    path = (id[:MAX_ID_CHARACTERS],)
    if not is_document_id(id):
        raise InvalidInput(
            "expected `sha256:` and 64 hexadecimal digits in lower case, or an id without a colon",
            path=path,
        )
    if not isinstance(document, str) or len(document) > MAX_DOCUMENT_CHARACTERS:
        raise InvalidInput(
            f"expected a document of at most {MAX_DOCUMENT_CHARACTERS} letters", path=path
        )
    if id.startswith(SHA256_PREFIX) and id != document_id(document):
        raise InvalidInput(
            f"the document has another hash: {document_id(document)}", code="WRONG_HASH", path=path
        )
    try:
        parse(document, max_tokens=MAX_TOKENS)
    except GraphQLSyntaxError as error:
        raise InvalidInput(error.message, code="GRAPHQL_PARSE_FAILED", path=path) from None


class PersistedQueries:
    """The trusted documents, and those that clients have sent with their ids or hashes."""

    def __init__(self, most_bytes: int = MAX_CACHE_BYTES, trusted: TrustedDocuments | None = None):
        self.documents: SizedLruCache[str, str] = SizedLruCache(most_bytes)
        self._trusted = trusted or TrustedDocuments()

    def document(
        self, text: str | None, extensions: Mapping[str, Any] | None, id: str | None = None
    ) -> str | None:
        """Return the document of a request: the given one, or the one of its id or hash.

        Raises InvalidInput if an id or hash and a document do not match, NotFound for one without a
        document, and Forbidden for an untrusted document if only trusted ones are executed.
        """
        if text:
            self._trusted.require(text)
        extension = (extensions or {}).get("persistedQuery")
        if id is not None:
            return self._of_id(id, text)
        if extension is None:
            return text
        hash = _hash(extension)
        if text:
            return self._remembered(
                hash, text, "provided sha does not match query", (*PATH, "sha256Hash")
            )
        document = self._known(f"{SHA256_PREFIX}{hash}")
        if document is None:
            raise NotFound("PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
        return document

    def _of_id(self, id: str, text: str | None) -> str:
        if not is_document_id(id):
            raise InvalidInput(
                "expected `sha256:` and 64 hexadecimal digits in lower case, or an id of a trusted"
                " document",
                code="BAD_REQUEST",
                path=(ID,),
            )
        if text and id.startswith(SHA256_PREFIX):
            hash = id.removeprefix(SHA256_PREFIX)
            return self._remembered(hash, text, "the document has another hash", (ID,))
        document = self._known(id)
        if document is None:
            raise NotFound(
                "no document of this id is known here", code="DOCUMENT_NOT_FOUND", path=(ID,)
            )
        if text not in (None, "", document):
            raise InvalidInput("the id is of another document", code="BAD_REQUEST", path=(ID,))
        return document

    def _known(self, id: str) -> str | None:
        """Return the document of an id, if it is trusted or cached."""
        trusted = self._trusted.by_id.get(id)
        return self.documents.get(id.removeprefix(SHA256_PREFIX)) if trusted is None else trusted

    def _remembered(self, hash: str, text: str, wrong: str, path: Path) -> str:
        """Cache a document by its hash and return it.

        Raises InvalidInput with the message `wrong` for another hash.
        """
        if document_id(text) != f"{SHA256_PREFIX}{hash}":
            raise InvalidInput(wrong, code="BAD_REQUEST", path=path)
        if len(text) <= MAX_DOCUMENT_CHARACTERS:
            self.documents.put(hash, text, len(text.encode(errors="surrogatepass")))
        return text


def _hash(extension: Any) -> str:
    """Return the hash of a persisted query from the extension of a client."""
    if not isinstance(extension, Mapping):
        raise InvalidInput("expected an object", code="BAD_REQUEST", path=PATH)
    if extension.get("version") != VERSION:
        raise InvalidInput(
            f"Unsupported persisted query version: expected {VERSION}",
            code="BAD_REQUEST",
            path=(*PATH, "version"),
        )
    hash = extension.get("sha256Hash")
    if not isinstance(hash, str) or not SHA256.fullmatch(hash):
        raise InvalidInput(
            "expected the SHA-256 of a document as 64 hexadecimal digits",
            code="BAD_REQUEST",
            path=(*PATH, "sha256Hash"),
        )
    return hash.lower()
