"""`tracker key`: the keys that sign the log."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.common import DataDir, report_errors, stderr
from deploy.config import settings
from deploy.config.table import TABLE
from deploy.postgres import default_data_dir
from tracker.audit.bundle.files import report_path
from tracker.audit.format.signed_note import COSIGNATURE, Signer
from tracker.audit.sign.keystore import KeyStore, LogKeys
from tracker.errors import InvalidInput

keys = typer.Typer(
    name="key",
    no_args_is_help=True,
    help="Show and replace the signing keys of the log. `tracker serve` creates the first one.",
)


@keys.command()
def show(data_dir: DataDir = None) -> None:
    """Print the public keys for auditors, one per line, with their use.

    Publish them separately from the log: on paper, in a contract, or on your web site.
    """
    print_keys(data_dir, KeyStore.keys)


@keys.command()
def rotate(
    finish: Annotated[
        bool,
        typer.Option("--finish", help="End the overlap: only the newest key signs from now on."),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Create a new key. Until `tracker key rotate --finish` the old one signs as well.

    Auditors learn the new key from checkpoints with both signatures. A running server uses it from the
    next checkpoint on. This does not help against a stolen key: see docs/audit.md.
    """
    print_keys(data_dir, KeyStore.retire if finish else KeyStore.rotate)


@keys.command()
def cosigner(
    name: Annotated[
        str,
        typer.Argument(
            help="The name of the signer: an address without its scheme, such as "
            "mirror.example.org/minerals."
        ),
    ],
    file: Annotated[
        Path, typer.Argument(help="The key file; an existing file is not overwritten.")
    ],
) -> None:
    """Create a key for `tracker mirror --cosign`, and print its public half.

    It is a witness key and signs no log. A lost mirror gets a new one.
    """
    with report_errors():
        signer = Signer.new(name, COSIGNATURE)
        with report_path(file):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as opened:
                opened.write(f"{signer.secret}\n")
    print(signer.verifier)


def print_keys(data_dir: Path | None, work: Callable[[KeyStore], LogKeys]) -> None:
    """Print the keys that an operation returns."""
    with report_errors():
        directory = settings.audit_dir(data_dir or default_data_dir())
        if directory is None:
            raise InvalidInput(
                f"{TABLE['DATABASE_URL'].variable} is set and"
                f" {TABLE['AUDIT_DIR'].variable} is not: this tracker has no keys"
            )
        keys = work(KeyStore(directory))
    for key in keys.retired:
        print(f"{key}\tretired")
    for key in keys.verifiers:
        print(f"{key}\tsigns")
    sys.stdout.flush()  # stop if the output is closed
    stderr.print(f"The log is {keys.origin}; its keys are in {directory}.", markup=False)
