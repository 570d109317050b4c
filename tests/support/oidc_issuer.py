"""An OpenID Connect issuer for tests: a real web server with real keys."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "https://tracker.example"
PRIVATE = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
"""Made once: an RSA key takes a tenth of a second."""


def published(algorithm: str, private: Any, **more: Any) -> dict[str, Any]:
    """A key as issuers publish it."""
    known = jwt.get_algorithm_by_name(algorithm)
    key: dict[str, Any] = json.loads(known.to_jwk(private.public_key()))  # type: ignore[attr-defined]
    return {**key, "use": "sig", **more}


class Issuer:
    """Signs tokens, and tells its keys to whoever asks."""

    def __init__(self, url: str):
        self.url = url
        self.signing: dict[str, tuple[str, Any]] = {
            algorithm.lower(): (algorithm, private) for algorithm, private in PRIVATE.items()
        }
        self.keys = [
            published(algorithm, private, kid=kid)
            for kid, (algorithm, private) in self.signing.items()
        ]
        self.described = {"issuer": url, "jwks_uri": f"{url}/keys"}
        self.asked: list[str] = []
        self.answers = threading.Event()
        self.answers.set()
        self.status = 200

    def claims(self, **more: Any) -> dict[str, Any]:
        """What a token says; `None` leaves a claim out."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ann",
            "iat": now,
            "exp": now + 600,
            "scope": "openid tracker:read",
            **more,
        }
        return {name: value for name, value in said.items() if value is not None}

    def token(self, kid: str = "es256", headers: dict[str, Any] | None = None, **more: Any) -> str:
        """A token signed with one of its keys."""
        algorithm, private = self.signing[kid]
        return jwt.encode(
            self.claims(**more), private, algorithm, headers={"kid": kid, **(headers or {})}
        )

    def answer(self, path: str) -> Any:
        """What stands at a path."""
        self.asked.append(path)
        return {
            "/keys": {"keys": self.keys},
            "/.well-known/openid-configuration": self.described,
        }.get(path)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer, once answers are given."""
            issuer.answers.wait()
            body = json.dumps(issuer.answer(self.path)).encode()
            self.send_response(issuer.status)
            self.send_header("Content-Length", str(len(body)))
            if issuer.status == 302:
                self.send_header("Location", f"{issuer.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        issuer.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
