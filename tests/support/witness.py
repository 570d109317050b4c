"""A small witness of the protocol C2SP tlog-witness, on a free port."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tracker.audit.format.checkpoint import Checkpoint, ConsistencyProof
from tracker.audit.format.merkle import EMPTY_ROOT, check_consistency
from tracker.audit.format.signed_note import COSIGNATURE, Note, Signer, Verifier
from tracker.errors import NotProven


class TestWitness:
    """A witness that signs consistent continuations of a log."""

    __test__ = False

    def __init__(self, name: str, key: Verifier):
        self.signer = Signer.new(name, COSIGNATURE)
        self.log = key
        self.size, self.root = 0, EMPTY_ROOT
        self.broken = False
        """Whether it returns only errors."""
        self.error = 404, "text/plain", "broken\n"
        self.asked: list[int] = []
        self._turn = threading.Lock()
        witness = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, type_, text = witness.answer(self.path, body.decode())
                self.send_response(status)
                self.send_header("Content-Type", type_)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def policy(self) -> str:
        """Return its line in a policy, under the last part of its name."""
        name = self.signer.name.rpartition("/")[2]
        return f"witness {name} {self.signer.verifier} http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: str) -> tuple[int, str, str]:
        """Return status, type and text of the response to a request."""
        if path != "/add-checkpoint" or self.broken:
            return self.error
        with self._turn:
            proof = ConsistencyProof.parse(body)
            note = Note.parse(proof.checkpoint.encode())
            head = Checkpoint.parse(note.text)
            try:
                note.check([self.log])
            except NotProven:
                return 403, "text/plain", ""
            self.asked.append(proof.old)
            if proof.old != self.size:
                return 409, "text/x.tlog.size", f"{self.size}\n"
            try:
                check_consistency(proof.old, head.size, proof.hashes, self.root, head.root)
            except NotProven as error:
                return 422, "text/plain", error.message
            self.size, self.root = head.size, head.root
            return 200, "text/plain", f"{self.signer.sign(note.text, int(time.time()))}\n"
