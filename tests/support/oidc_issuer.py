"""An OpenID Connect issuer for tests: a real web server with real keys."""

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
"""Keys, created once because an RSA key takes a tenth of a second."""


def published(algorithm: str, private: Any, **more: Any) -> dict[str, Any]:
    """Return a key in published form."""
    known = jwt.get_algorithm_by_name(algorithm)
    key: dict[str, Any] = json.loads(known.to_jwk(private.public_key()))  # type: ignore[attr-defined]
    return {**key, "use": "sig", **more}


class Issuer:
    """An issuer that signs tokens and publishes its keys."""

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
        """Return the claims of a token; `None` removes a claim."""
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
        """Return a token signed with one of its keys."""
        algorithm, private = self.signing[kid]
        return jwt.encode(
            self.claims(**more), private, algorithm, headers={"kid": kid, **(headers or {})}
        )

    def answer(self, path: str) -> Any:
        """Return the response for a path."""
        self.asked.append(path)
        return {
            "/keys": {"keys": self.keys},
            "/.well-known/openid-configuration": self.described,
        }.get(path)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Run an issuer on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Respond, unless responses are withheld."""
            issuer.answers.wait()
            body = json.dumps(issuer.answer(self.path)).encode()
            self.send_response(issuer.status)
            self.send_header("Content-Length", str(len(body)))
            if issuer.status == 302:
                self.send_header("Location", f"{issuer.url}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

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
