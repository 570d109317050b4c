"""A log that never changes: the shipped corpus of 2026-11-30, as a signed bundle with its test key.

`tests/contract/derivation/log.tar.xz` has the bundle without what follows from its entries. Recorded answers
depend on it, so that changes of the shipped data do not alter them.
"""

import tarfile
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.bootstrap import open_connection
from projections.registry import PROJECTIONS
from projections.runner.rebuild import rebuild
from tests.support.checkout import ROOT
from tracker.audit.bundle.export import BundleWriter
from tracker.audit.bundle.restore import restore
from tracker.audit.format.frontier import FullTile, TileFrontier
from tracker.audit.format.layout import BundleFiles, decode_entries
from tracker.audit.format.merkle import TILE_WIDTH, Tile
from tracker.audit.format.signed_note import Signer
from tracker.audit.sign.keystore import KeyStore, LogKeys
from tracker.audit.verify.trust import TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.log.entry_hash import leaf_hash
from tracker.postgres.database import Target

ORIGIN = "example.com/frozen"
DIRECTORY = ROOT / "tests" / "contract" / "derivation"
ARCHIVE = DIRECTORY / "log.tar.xz"


def signer() -> Signer:
    """Return the key of the log, which is public and signs nothing else."""
    seed = sha256(b"the key of the frozen log of the tests").digest()
    return Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(seed))


def frozen_keystore(directory: Path) -> KeyStore:
    """Create the keys of the log in a directory."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "keys").write_text(str(LogKeys((signer(),))), encoding="utf-8")
    return KeyStore(directory)


def unpack(directory: Path) -> Path:
    """Unpack the bundle into a directory, and add its tiles of hashes, which follow from its entries."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(directory, filter="data")
    size = int((directory / "checkpoint").read_text(encoding="utf-8").split("\n")[1])
    frontier, writer = TileFrontier(), BundleWriter(directory)
    full = list[FullTile]()
    for start in range(0, size, TILE_WIDTH):
        tile = Tile(0, start // TILE_WIDTH, min(TILE_WIDTH, size - start))
        content = (directory / "tile" / tile.entries_path).read_bytes()
        entries, fault = decode_entries(content, tile, tile.entries_path)
        assert fault is None, fault
        full += frontier.add([leaf_hash(entry) for entry in entries])
    for tile, hashes in [*full, *frontier.partial_tiles()]:
        writer.write_file(f"tile/{tile.path}", b"".join(hashes))
    return directory


async def restore_frozen(target: Target, bundle: Path) -> None:
    """Fill an empty database with the log, and project it."""
    verification = await Verification.begin(
        BundleFiles(bundle), TrustPolicy((signer().verifier,)), allow_missing_snapshots=True
    )
    async with open_connection(target) as connection:
        await restore(connection, verification)
    for make in PROJECTIONS.values():
        await rebuild(target, make())
