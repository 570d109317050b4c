"""The key store, outside the database: the keys that sign the log, and the last signed head.

The directory is readable by its owner only:

    keys      one key per line, oldest first, in the format of Go's sumdb/note. Private keys sign.
              Of retired keys only the public half is kept, which verifies old checkpoints.
    head      the text of the last signed checkpoint. It is trusted above the database: only
              continuations of this head are signed.
    set-back  the lost part of the log, written by a publisher that detected a set-back. While
              it exists nothing is signed: another publisher may have signed the lost part, and
              a person must decide.

Files are replaced atomically: a crash leaves the old or the new one, and perhaps an unused `*.new` file.
"""

import os
import secrets
from pathlib import Path

from msgspec import Struct

from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import PRIVATE_PREFIX, Note, Signer, Verifier
from tracker.errors import InvalidInput, NotFound, NotProven

DEFAULT_ORIGIN = "critical-minerals-policy-tracker"


class PublicKey(Struct, frozen=True):
    """The public half of a key of a log, and whether it signs new checkpoints."""

    verifier: Verifier
    signs: bool


class LogKeys(Struct, frozen=True):
    """The keys of a log, oldest first."""

    signers: tuple[Signer, ...]
    retired: tuple[Verifier, ...] = ()

    @property
    def origin(self) -> str:
        """The name of the log, which is the name of its keys."""
        return self.signers[0].name

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The public halves of the signing keys."""
        return tuple(signer.verifier for signer in self.signers)

    @property
    def all(self) -> tuple[Verifier, ...]:
        """The public halves of all keys, including retired ones."""
        return (*self.retired, *self.verifiers)

    @property
    def public(self) -> tuple[PublicKey, ...]:
        """The public halves of all keys, oldest first."""
        return tuple(PublicKey(key, key in self.verifiers) for key in self.all)

    def sign(self, checkpoint: Checkpoint) -> Note:
        """Return a checkpoint signed by every signing key."""
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
        """Return the keys; create one if there is none yet, for a log of the name `origin`.

        Raises InvalidInput if the keys are of another log, or are missing while a head exists.
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
        """Return the present keys. Raises NotFound and InvalidInput."""
        try:
            lines = self._keys.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            raise NotFound(
                f"{self._keys} is not there: `tracker serve` makes a key when it starts"
            ) from None
        keys_of_lines = [self._parse_key(line, number) for number, line in enumerate(lines, 1)]
        signers = tuple(key for key in keys_of_lines if isinstance(key, Signer))
        retired = tuple(key for key in keys_of_lines if isinstance(key, Verifier))
        keys = LogKeys(signers, retired)
        if not signers or len({key.name for key in keys.all}) > 1:
            raise InvalidInput(
                f"{self._keys}: expected keys of one log, a private one among them. Restore the file"
                " from its copy (docs/audit.md, Keys)",
                code="DAMAGED_KEYS",
            )
        return keys

    def _parse_key(self, line: str, number: int) -> Signer | Verifier:
        """Parse a line of the keys. Raises InvalidInput, whose message does not contain the line."""
        try:
            return (Signer if line.startswith(PRIVATE_PREFIX) else Verifier).parse(line)
        except InvalidInput as error:
            raise InvalidInput(
                f"{self._keys}, line {number}: {error.message}. Restore the file from its copy"
                " (docs/audit.md, Keys)",
                code="DAMAGED_KEYS",
            ) from None

    def rotate(self) -> LogKeys:
        """Add a key: it signs from now on, together with the previous ones. Raises like `keys`."""
        keys = self.keys()
        grown = LogKeys((*keys.signers, Signer.new(keys.origin)), keys.retired)
        self._replace(self._keys, str(grown))
        return grown

    def retire(self) -> LogKeys:
        """Retire all keys except the newest. Raises like `keys`."""
        keys = self.keys()
        *old, newest = keys.signers
        left = LogKeys((newest,), (*keys.retired, *(signer.verifier for signer in old)))
        self._replace(self._keys, str(left))
        return left

    def head(self) -> Checkpoint | None:
        """Return the last signed head; None before the first. Raises NotProven if unreadable."""
        try:
            return Checkpoint.parse(self._head.read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            return None
        except NotProven as error:
            raise NotProven(f"{self._head}: {error.message}") from None

    def save_head(self, head: Checkpoint) -> None:
        """Store a head, unless it or a later one is stored. It is on the disk when this returns.

        A process that is frozen after the check may overwrite later heads when it continues. With a lock, it
        would hold the lock while frozen. So the publisher also trusts the last checkpoint of the database,
        and stores that at each step. This corrects an older head within seconds.
        """
        saved = self.head()
        if saved is None or saved.size < head.size:
            self._replace(self._head, str(head))

    def set_back(self) -> str | None:
        """Return the recorded set-back of the log that a person has not resolved yet; None if there is
        none."""
        try:
            return self._set_back.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    def note_set_back(self, difference: str) -> None:
        """Stop signing until a person has removed the note. It is on the disk when this returns."""
        self._replace(self._set_back, f"{difference}\n")

    def _replace(self, path: Path, text: str) -> None:
        os.replace(self._write_beside(path, text), path)
        self._sync()

    def _create(self, path: Path, text: str) -> None:
        """Create a file, unless another process has created it meanwhile."""
        written = self._write_beside(path, text)
        try:
            os.link(written, path)
        except FileExistsError:
            pass
        finally:
            written.unlink()
        self._sync()

    def _write_beside(self, path: Path, text: str) -> Path:
        """Write a temporary file next to the path, complete and on the disk."""
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        return beside

    def _sync(self) -> None:
        """Flush the names in the directory to the disk."""
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
