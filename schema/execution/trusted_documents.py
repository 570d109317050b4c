"""Trusted documents: those that an operator lists in a file, the manifest, by which clients name them.

Ids are those of the appendix "Persisted Documents" of GraphQL over HTTP: `sha256:` and the hash of a
document in lower case, or any id without a colon that the manifest gives, such as an MD5 of Relay's
compiler. A server may be told to answer no other documents.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import GraphQLSyntaxError, parse

from schema.execution.document_size import MAX_TOKENS
from schema.execution.documents import MAX_DOCUMENT_CHARACTERS
from tracker.errors import Forbidden, InvalidInput

SHA256_PREFIX = "sha256:"
DOCUMENT_ID = re.compile(
    r"sha256:[0-9a-f]{64}|x-[A-Za-z0-9._~-]+:[A-Za-z0-9._~-]+|[A-Za-z0-9._~-]+", re.ASCII
)
MAX_ID_CHARACTERS = 200
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_MANIFEST_DOCUMENTS = 10_000
APOLLO_FORMAT = "apollo-persisted-query-manifest"


@dataclass(frozen=True, slots=True)
class TrustedDocuments:
    """The documents of a manifest."""

    by_id: Mapping[str, str] = field(default_factory=dict)
    """Each by the id that the manifest gives it, and by the hash that it has."""
    only: bool = False
    """Whether no other documents are answered."""

    @classmethod
    def from_manifest(cls, manifest: bytes, only: bool = False) -> TrustedDocuments:
        """Read a manifest: a JSON object of documents by their ids, as Relay's compiler and
        graphql-codegen write it, or Apollo's format of version 1. Raises InvalidInput."""
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
        """Refuse a document that is not trusted where only those are. Raises Forbidden."""
        if self.only and document_id(document) not in self.by_id:
            raise Forbidden(
                "this server answers only documents that it was given: expected one of these, as"
                " `documentId` or letter for letter",
                code="DOCUMENT_NOT_TRUSTED",
            )


def document_id(document: str) -> str:
    """The id that a document has by its content alone."""
    encoded = document.encode(errors="surrogatepass")
    return f"{SHA256_PREFIX}{hashlib.sha256(encoded).hexdigest()}"


def is_document_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return len(text) <= MAX_ID_CHARACTERS and DOCUMENT_ID.fullmatch(text) is not None


def _entries(manifest: bytes) -> Iterator[tuple[str, Any]]:
    """The ids and documents of a manifest."""
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
    """Refuse what is no document, or not the one that its id says. Raises InvalidInput."""
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
