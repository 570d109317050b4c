"""Signatures of deliveries, by Standard Webhooks 1.0. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tracker.errors import InvalidInput

SECRET_BYTES = 32
"""Size of new keys: a seed of Ed25519, or the hash length of HMAC."""
MIN_HMAC_SECRET_BYTES = 24
MAX_HMAC_SECRET_BYTES = 64


class Algorithm(Enum):
    """Signing method: a private key whose public key the receiver has, or a shared secret."""

    ED25519 = "ed25519"
    HMAC = "hmac-sha256"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of one endpoint. Raises InvalidInput for a secret of invalid length."""

    algorithm: Algorithm
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        ed25519 = self.algorithm is Algorithm.ED25519
        least = SECRET_BYTES if ed25519 else MIN_HMAC_SECRET_BYTES
        most = SECRET_BYTES if ed25519 else MAX_HMAC_SECRET_BYTES
        if not least <= len(self.secret) <= most:
            raise InvalidInput(f"expected a secret of {least} to {most} bytes", path=("secret",))

    @property
    def public_text(self) -> str | None:
        """The public key as `whpk_…`, which verifies signatures; None for a shared secret."""
        if self.algorithm is Algorithm.HMAC:
            return None
        return f"whpk_{_text(self._private.public_key().public_bytes_raw())}"

    @property
    def secret_text(self) -> str | None:
        """The shared secret as `whsec_…`; None for a key pair."""
        return f"whsec_{_text(self.secret)}" if self.algorithm is Algorithm.HMAC else None

    def sign(self, content: bytes) -> str:
        """Return the signature of a content, after its version and a comma."""
        if self.algorithm is Algorithm.ED25519:
            return f"v1a,{_text(self._private.sign(content))}"
        return f"v1,{_text(hmac.digest(self.secret, content, 'sha256'))}"

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


def generate_key(algorithm: Algorithm) -> SigningKey:
    """Return a new key from the system's source of randomness."""
    return SigningKey(algorithm, secrets.token_bytes(SECRET_BYTES))


def sign(keys: Sequence[SigningKey], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: a signature by each key, separated by spaces.

    `timestamp` is in seconds, as in `webhook-timestamp`.
    """
    content = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return " ".join(key.sign(content) for key in keys)


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()
