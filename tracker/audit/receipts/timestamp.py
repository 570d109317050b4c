"""Timestamps of receipts (RFC 3161): an authority states that a receipt existed at a time. Pure.

The message is the signed note of the receipt. The library is an extra (`timestamps`), imported on first use.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cryptography.x509 import Certificate, load_pem_x509_certificates
from msgspec import Struct, field

from tracker.errors import InvalidInput, Rejected

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest

LIBRARY = "rfc3161_client"
WRONG_TIMESTAMP = "WRONG_TIMESTAMP"
NOT_INSTALLED = (
    "timestamps are not installed here: pip install 'critical-minerals-policy-tracker[timestamps]'"
)


class AuthorityCertificates(Struct, frozen=True):
    """The certificates of a timestamp authority: the trusted roots, and those between."""

    roots: Sequence[Certificate]
    intermediates: Sequence[Certificate] = field(default=())

    @staticmethod
    def parse(pem: bytes) -> AuthorityCertificates:
        """Parse certificates in PEM. Raises InvalidInput, also if the library is missing.

        Certificates that sign themselves are the roots; without one, all are.
        """
        if find_spec(LIBRARY) is None:
            raise InvalidInput(NOT_INSTALLED, code="TIMESTAMPS_NOT_INSTALLED")
        try:
            found = load_pem_x509_certificates(pem)
        except ValueError as error:
            raise InvalidInput(
                f"expected certificates in PEM: {error}", code="INVALID_CERTIFICATE"
            ) from None
        roots = [one for one in found if one.issuer == one.subject]
        between = [one for one in found if one.issuer != one.subject]
        return AuthorityCertificates(roots, between) if roots else AuthorityCertificates(found)

    def check(self, note: str, timestamp: str, nonce: int | None = None) -> datetime:
        """Return the time at which a note existed, by a timestamp in base64. Raises Rejected."""
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

        verifier = VerifierBuilder(
            roots=[*self.roots], intermediates=[*self.intermediates], nonce=nonce
        ).build()
        try:
            response = decode_timestamp_response(base64.b64decode(timestamp, validate=True))
            verifier.verify_message(response, note.encode())
            return response.tst_info.gen_time
        except (ValueError, VerificationError) as error:
            raise Rejected(
                WRONG_TIMESTAMP, f"the timestamp is not one of this authority: {error}"
            ) from None


def timestamp_request(note: str) -> TimeStampRequest:
    """Return the request for a timestamp of a note by its SHA-256, with a nonce and certificates."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(note.encode())
    return (
        builder.hash_algorithm(HashAlgorithm.SHA256).nonce().cert_request(cert_request=True).build()
    )
