"""Checksums of a release, and the statement of its origin.

The statement is an in-toto Statement with the provenance of SLSA 1.0; a forge that attests the files signs
it. `SHA256SUMS.sig` is an Ed25519 signature of the checksums, which OpenSSL verifies.
"""

import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.json_format import MessageToJson  # type: ignore[import-untyped]
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor  # type: ignore[import-untyped]
from in_toto_attestation.v1.statement import Statement  # type: ignore[import-untyped]

from tools.release.notices import Part
from tracker.audit.sign.keystore import KeyStore

SUMS = "SHA256SUMS"
KEY_NAME = "critical-minerals-policy-tracker/release"
PROVENANCE = "https://slsa.dev/provenance/v1"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def commit_of(checkout: Path) -> str:
    """Return the commit of a checkout."""
    command = ["git", "rev-parse", "HEAD"]
    return subprocess.run(
        command, cwd=checkout, check=True, capture_output=True, text=True
    ).stdout.strip()


def write_statement(file: Path, version: str, commit: str, parts: Iterable[Part]) -> None:
    """Write the statement on all files beside it. Raises ValueError."""
    subjects = [
        ResourceDescriptor(name=path.name, digest={"sha256": digest(path)}).pb
        for path in sorted(file.parent.iterdir())
        if path != file and not path.name.startswith(SUMS)
    ]
    predicate: dict[str, Any] = {
        "buildDefinition": {
            "buildType": "tag:critical-minerals-policy-tracker,2026:python-m-tools.release",
            "externalParameters": {"commit": commit, "version": version},
            "resolvedDependencies": [
                {"name": "source", "digest": {"gitCommit": commit}},
                *({"uri": f"pkg:pypi/{part.name}@{part.version}"} for part in parts),
            ],
        },
        "runDetails": {"builder": {"id": "tag:critical-minerals-policy-tracker,2026:checkout"}},
    }
    statement = Statement(subjects, PROVENANCE, predicate)
    statement.validate()
    file.write_text(MessageToJson(statement.pb, sort_keys=True) + "\n", "utf-8")


def write_sums(directory: Path, keys: Path | None) -> None:
    """Write the checksums of all files. Sign them if a directory of keys is given, and write its public key
    there as `release.pem`."""
    files = [path for path in sorted(directory.iterdir()) if not path.name.startswith(SUMS)]
    text = "".join(f"{digest(path)}  {path.name}\n" for path in files)
    (directory / SUMS).write_text(text, "utf-8")
    if keys:
        signer = KeyStore(keys).load_or_create(KEY_NAME).signers[-1]
        public = Ed25519PublicKey.from_public_bytes(signer.verifier.public)
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (keys / "release.pem").write_bytes(pem)
        (directory / f"{SUMS}.sig").write_bytes(signer.sign(text).signature)
