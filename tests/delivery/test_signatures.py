"""Signatures are verified by libraries that know nothing of this one."""

import base64
import json
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.cases import each_case
from tests.support.node import CLIENTS, node, npm_packages
from tracker.delivery.signatures import Algorithm, SigningKey, generate_key, sign
from tracker.errors import InvalidInput

BODY = '{"specversion":"1.0","data":{"title":"镓 — «ban»"}}'.encode()


def headers(signatures: str, message_id: str, timestamp: int) -> dict[str, str]:
    """Return the signed headers of a delivery."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures,
    }


def public_key(key: SigningKey) -> Ed25519PublicKey:
    """Return the public half of a key from its text."""
    text = key.public_text
    assert text
    assert text.startswith("whpk_")
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix("whpk_")))


def test_the_example_of_the_specification_has_the_signature_of_its_library() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    key = SigningKey(Algorithm.HMAC, base64.b64decode(secret.removeprefix("whsec_")))
    expected = Webhook(secret).sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), body.decode()
    )
    assert sign([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected
    assert expected == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert key.secret_text == secret


def test_the_library_of_standard_webhooks_verifies_what_both_keys_of_a_rotation_signed() -> None:
    old, new, other = (generate_key(Algorithm.HMAC) for _ in range(3))
    now = int(time.time())
    signed = headers(sign([generate_key(Algorithm.ED25519), old, new], "e1", now, BODY), "e1", now)
    for key in (old, new):
        assert key.secret_text
        assert Webhook(key.secret_text).verify(BODY, signed) == json.loads(BODY)
    assert other.secret_text
    with pytest.raises(WebhookVerificationError):
        Webhook(other.secret_text).verify(BODY, signed)
    assert new.secret_text
    with pytest.raises(WebhookVerificationError):
        Webhook(new.secret_text).verify(BODY, signed | {"webhook-id": "e2"})


async def test_the_library_of_standard_webhooks_for_node_verifies_too_and_so_does_node() -> None:
    old, new, hmac = (
        generate_key(kind) for kind in (Algorithm.ED25519, Algorithm.ED25519, Algorithm.HMAC)
    )
    now = int(time.time())
    with tempfile.TemporaryDirectory(dir=npm_packages()) as directory:
        for name in ("webhooks.js", "tracker.js", "package.json"):
            shutil.copy(CLIENTS / name, directory)
        (Path(directory) / "body.json").write_bytes(BODY)
        delivery = {
            "secret": hmac.secret_text,
            "publicKey": new.public_text,
            "headers": headers(sign([old, new, hmac], "e1", now, BODY), "e1", now),
            "file": "body.json",
        }
        found = json.loads(await node(Path(directory), "webhooks.js", json.dumps(delivery)))
    assert found == {"v1": json.loads(BODY), "v1a": [False, True]}


@given(st.binary(max_size=200), st.text("abc-%/", min_size=1), st.integers(0, 2**33))
def test_the_public_key_verifies_a_signature_of_exactly_this_delivery(
    body: bytes, message_id: str, timestamp: int
) -> None:
    key = generate_key(Algorithm.ED25519)
    version, _, text = sign([key], message_id, timestamp, body).partition(",")
    assert version == "v1a"
    signature = base64.b64decode(text, validate=True)
    public_key(key).verify(signature, f"{message_id}.{timestamp}.".encode() + body)
    with pytest.raises(InvalidSignature):
        public_key(key).verify(signature, f"{message_id}.{timestamp + 1}.".encode() + body)


def test_a_key_shows_its_secret_to_those_only_who_share_it() -> None:
    ed25519, hmac = generate_key(Algorithm.ED25519), generate_key(Algorithm.HMAC)
    assert (ed25519.secret_text, hmac.public_text) == (None, None)
    for key in (ed25519, hmac):
        assert repr(key.secret) not in repr(key)
    assert ed25519.secret != generate_key(Algorithm.ED25519).secret


@each_case(
    ("algorithm", "size"),
    [(Algorithm.ED25519, 31), (Algorithm.ED25519, 64), (Algorithm.HMAC, 23), (Algorithm.HMAC, 65)],
)
def test_a_secret_of_another_length_is_refused(algorithm: Algorithm, size: int) -> None:
    with pytest.raises(InvalidInput, match="expected a secret of"):
        SigningKey(algorithm, bytes(size))
