"""The files of a log in the format of its specification, and a web server for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.support.tampered_logs import KEY, ORIGIN
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import Note, Signer


def tree_hash(hashes: Sequence[bytes]) -> bytes:
    """Return the root over hashes (RFC 6962, section 2.1: MTH)."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\x01" + tree_hash(hashes[:split]) + tree_hash(hashes[split:])).digest()


def leaves_of(entries: Sequence[bytes]) -> list[bytes]:
    """Return the hashes of entries."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def note_of(entries: Sequence[bytes], *signers: Signer, origin: str = ORIGIN) -> bytes:
    """Return the signed head of a log."""
    text = str(Checkpoint(origin, len(entries), tree_hash(leaves_of(entries))))
    return str(Note(text, tuple(key.sign(text, 1) for key in signers or (KEY,)))).encode()


def log_files(entries: Sequence[bytes]) -> dict[str, bytes]:
    """Return all tiles of a log by path, in the format of C2SP tlog-tiles."""
    files, level, hashes = dict[str, bytes](), 0, leaves_of(entries)
    while hashes:
        for start in range(0, len(hashes), 256):
            some = hashes[start : start + 256]
            path = tile_path(start // 256, len(some))
            files[f"tile/{level}/{path}"] = b"".join(some)
            if not level:
                files[f"tile/entries/{path}"] = b"".join(
                    len(entry).to_bytes(2, "big") + entry for entry in entries[start : start + 256]
                )
        full = len(hashes) // 256 * 256
        hashes = [tree_hash(hashes[i : i + 256]) for i in range(0, full, 256)]
        level += 1
    return files


def tile_path(number: int, width: int) -> str:
    """Return the path of a tile below its level, up to a million tiles."""
    whole = f"{number:03}" if number < 1000 else f"x{number // 1000:03}/{number % 1000:03}"
    return whole if width == 256 else f"{whole}.p/{width}"


def write_log(directory: Path, entries: Sequence[bytes], note: bytes | None = None) -> Path:
    """Write a log as files; older ones stay."""
    for path, content in (log_files(entries) | {"checkpoint": note or note_of(entries)}).items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    return directory


class Site(SimpleHTTPRequestHandler):
    """A web server of a directory, with overrides in `answers`."""

    protocol_version = "HTTP/1.1"
    answers: dict[str, Callable[[Site], None]]
    requests: list[str]

    def do_GET(self) -> None:
        """Send a file, or an override."""
        self.requests.append(self.path)
        answer = self.answers.get(self.path)
        if answer:
            answer(self)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def served(directory: Path) -> Iterator[tuple[str, type[Site]]]:
    """Serve a directory, and yield its address and handler."""
    kind = type("Mine", (Site,), {"answers": {}, "requests": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(kind, directory=str(directory)))
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kind
    finally:
        server.shutdown()
        server.server_close()


def write_file(path: Path, data: bytes) -> None:
    """Write a file, and create its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
