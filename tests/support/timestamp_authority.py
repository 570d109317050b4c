"""A timestamp authority (RFC 3161): OpenSSL behind a small HTTP server."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = authority
[authority]
serial = {directory}/serial
crypto_device = builtin
signer_cert = {directory}/stamper.pem
signer_key = {directory}/stamper.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
"""
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(directory: Path, *arguments: str) -> None:
    """Run OpenSSL in a directory."""
    command = ["openssl", *arguments]
    subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=60)


def create_authority(directory: Path, name: str) -> Path:
    """Create keys and certificates of an authority, and return its root certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("this needs openssl, which this machine does not have")
    directory.mkdir()
    config = directory / "openssl.cnf"
    config.write_text(CONFIG.format(directory=directory), encoding="utf-8")
    (directory / "serial").write_text("01\n", encoding="utf-8")
    settings = ("-config", "openssl.cnf", "-days", "3650")
    openssl(
        directory, "req", "-x509", *NEW_KEY, "-keyout", "root.key", "-out", "root.pem",
        "-subj", f"/CN={name} root", "-extensions", "ca", *settings,
    )  # fmt: skip
    openssl(
        directory, "req", "-x509", *NEW_KEY, "-keyout", "stamper.key", "-out", "stamper.pem",
        "-subj", f"/CN={name}", "-extensions", "stamper", "-CA", "root.pem", "-CAkey", "root.key",
        *settings,
    )  # fmt: skip
    return directory / "root.pem"


def reply(directory: Path, query: bytes) -> bytes:
    """Return the reply of an authority to a query."""
    (directory / "query").write_bytes(query)
    openssl(
        directory, "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query", "-out", "reply"
    )
    return (directory / "reply").read_bytes()


@contextmanager
def serving_authority(directory: Path, *, delay_seconds: float = 0) -> Iterator[str]:
    """Serve an authority, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer a query."""
            query = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(delay_seconds)
            body = reply(directory, query)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
