"""The key store, outside the database: the keys that sign the log, and the last head they signed.

In the directory, which only its owner may read:

    keys   a key a line, the oldest first, as Go's sumdb/note writes them. Private ones sign; of
           those that no longer do only the public half is kept, by which old checkpoints verify.
    head   the text of the last checkpoint that was signed. Trusted above the database: whatever
           that says, nothing is signed that does not continue this head.
    set-back  what the log has lost, where its publisher noticed that. While it is there nothing is
           signed: another publisher may have signed what is gone, and only a person can tell.

Files are replaced whole: a crash leaves the old one or the new one, and perhaps a `*.new` beside
it, which nobody reads.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import PRIVATE_PREFIX, Note, Signer, Verifier
from tracker.errors import InvalidInput, NotFound

DEFAULT_ORIGIN = "critical-minerals-policy-tracker"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a key of a log, and whether it signs new checkpoints."""

    verifier: Verifier
    signs: bool


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The keys of a log, the oldest first."""

    signers: tuple[Signer, ...]
    retired: tuple[Verifier, ...] = ()

    @property
    def origin(self) -> str:
        """The name of the log, which is that of its keys."""
        return self.signers[0].name

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The public halves of those that sign."""
        return tuple(signer.verifier for signer in self.signers)

    @property
    def all(self) -> tuple[Verifier, ...]:
        """The public halves of all there were."""
        return (*self.retired, *self.verifiers)

    @property
    def public(self) -> tuple[PublicKey, ...]:
        """The public halves of all there were, the oldest first."""
        return tuple(PublicKey(key, key in self.verifiers) for key in self.all)

    def sign(self, checkpoint: Checkpoint) -> Note:
        """A checkpoint, signed by every key that signs."""
        text = str(checkpoint)
        return Note(text, tuple(signer.sign(text) for signer in self.signers))

    def __str__(self) -> str:
        return "".join(
            f"{line}\n"
            for line in (*map(str, self.retired), *(signer.secret for signer in self.signers))
        )


class KeyStore:
    """The directory with the keys and the last signed head."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._keys = directory / "keys"
        self._head = directory / "head"
        self._set_back = directory / "set-back"

    def load_or_create(self, origin: str | None = None) -> LogKeys:
        """The keys; a new one where there is none yet, for a log of the name `origin`.

        Raises InvalidInput where the keys are of another log, or are gone while a head is there.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._keys.exists():
            if self._head.exists():
                raise InvalidInput(
                    f"{self._keys} is gone: put it back. Without it the log can't go"
                    " on under its name; docs/audit.md says how to begin another",
                    code="KEY_LOST",
                )
            key = Signer.new(origin or f"{DEFAULT_ORIGIN}/{secrets.token_hex(4)}")
            self._create(self._keys, str(LogKeys((key,))))
        keys = self.keys()
        if origin and keys.origin != origin:
            raise InvalidInput(
                f"the keys in {self._keys} are of the log {keys.origin!r}: expected {origin!r}",
                code="OTHER_LOG",
            )
        return keys

    def keys(self) -> LogKeys:
        """The keys as they are now. Raises NotFound and InvalidInput."""
        try:
            lines = self._keys.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            raise NotFound(
                f"{self._keys} is not there: `tracker serve` makes a key when it starts"
            ) from None
        signers = tuple(Signer.parse(line) for line in lines if line.startswith(PRIVATE_PREFIX))
        retired = tuple(
            Verifier.parse(line) for line in lines if not line.startswith(PRIVATE_PREFIX)
        )
        keys = LogKeys(signers, retired)
        if not signers or len({key.name for key in keys.all}) > 1:
            raise InvalidInput(f"{self._keys}: expected keys of one log, a private one among them")
        return keys

    def rotate(self) -> LogKeys:
        """Add a key: from now on it signs, and so do those before it. Raises like `keys`."""
        keys = self.keys()
        grown = LogKeys((*keys.signers, Signer.new(keys.origin)), keys.retired)
        self._replace(self._keys, str(grown))
        return grown

    def retire(self) -> LogKeys:
        """Let only the newest key sign. Raises like `keys`."""
        keys = self.keys()
        *old, newest = keys.signers
        left = LogKeys((newest,), (*keys.retired, *(signer.verifier for signer in old)))
        self._replace(self._keys, str(left))
        return left

    def head(self) -> Checkpoint | None:
        """The last head that was signed; None before the first. Raises NotProven if unreadable."""
        try:
            return Checkpoint.parse(self._head.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def save_head(self, head: Checkpoint) -> None:
        """Remember a head, unless it or a later one is there. It is on the disk when this returns.

        A process that is frozen after it has looked puts its head in the place of later ones when
        it goes on. A lock would be kept by it for as long. So the publisher, which trusts the last
        checkpoint of the database as well, keeps that with every look at the log, and a head that
        was put back is brought forward within seconds.
        """
        kept = self.head()
        if kept is None or kept.size < head.size:
            self._replace(self._head, str(head))

    def set_back(self) -> str | None:
        """What the log has lost, where that was noted and nobody has decided about it."""
        try:
            return self._set_back.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    def note_set_back(self, difference: str) -> None:
        """Sign nothing more until a person has removed the note. It is on the disk when this returns."""
        self._replace(self._set_back, f"{difference}\n")

    def _replace(self, path: Path, text: str) -> None:
        os.replace(self._write_beside(path, text), path)
        self._sync()

    def _create(self, path: Path, text: str) -> None:
        """Make a file, unless another process has made it meanwhile."""
        written = self._write_beside(path, text)
        try:
            os.link(written, path)
        except FileExistsError:
            pass
        finally:
            written.unlink()
        self._sync()

    def _write_beside(self, path: Path, text: str) -> Path:
        """A file beside the path, complete and on the disk."""
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        return beside

    def _sync(self) -> None:
        """Have the names in the directory on the disk."""
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
