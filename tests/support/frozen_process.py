"""A process that works on a log and stops itself (SIGSTOP) at a given step.

    python -m tests.support.frozen_process KIND TARGET DIRECTORY

Once it is resumed it continues; its result is its output.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from deploy.bootstrap import migrate_log, open_connection, running_tracker
from projections.runner.rebuild import rebuild
from projections.versions.projection import Versions
from tests.support.importer import line
from tests.support.tampered_logs import TRUST, bundle, honest
from tracker.audit.bundle import restore
from tracker.audit.format.layout import BundleFiles
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify.verifier import Verification
from tracker.errors import TrackerError
from tracker.postgres import migrate
from tracker.postgres.database import CONNECTION_ERRORS, Target
from tracker.sources.importing.importer import import_file
from tracker.sources.importing.staging import Staging
from tracker.sources.reader import File
from tracker.sources.readers import corpus_format


def stop_after(of: Any, name: str) -> None:
    """Stop this process after the first call of a function, before its caller continues."""
    work: Callable[..., Any] = getattr(of, name)

    async def stopping(*arguments: Any, **options: Any) -> Any:
        result = await work(*arguments, **options)
        setattr(of, name, work)
        os.kill(os.getpid(), signal.SIGSTOP)
        return result

    setattr(of, name, stopping)


def stop_before(of: Any, name: str) -> None:
    """Stop this process before the first call of a synchronous function."""
    work: Callable[..., Any] = getattr(of, name)

    def stopping(*arguments: Any) -> Any:
        setattr(of, name, work)
        os.kill(os.getpid(), signal.SIGSTOP)
        return work(*arguments)

    setattr(of, name, stopping)


async def project(target: Target, directory: Path) -> None:
    """Project, and stop within a page."""
    stop_after(Versions, "write_page")
    async with running_tracker(target) as services:
        await services.projector.reach(await services.recorder.head(), seconds=120)


async def publish(target: Target, directory: Path) -> None:
    """Publish, and stop with an unsigned head."""
    stop_before(KeyStore, "save_head")
    async with running_tracker(target, SigningOptions(KeyStore(directory))) as services:
        while await services.proofs.size() != await services.recorder.head():
            await asyncio.sleep(0.05)


async def take_in(target: Target, directory: Path) -> None:
    """Import, and stop with a page in the log."""
    stop_after(Staging, "_append_page")
    path = directory / "facts.jsonl"
    path.write_bytes(line())
    await import_file(target, corpus_format.READER, File.at(path))


async def remake(target: Target, directory: Path) -> None:
    """Rebuild, and stop with some rows written."""
    stop_after(Versions, "write_page")
    await rebuild(target, Versions())


async def restore_bundle(target: Target, directory: Path) -> None:
    """Restore a bundle into an empty log."""
    copy = BundleFiles(await bundle(directory / "bundle", honest(300)))
    async with open_connection(target) as connection:
        await restore.restore(connection, await Verification.begin(copy, TRUST))


async def stage_bundle(target: Target, directory: Path) -> None:
    """Restore, and stop while the bundle is being sent."""
    stop_before(restore, "_columns")
    await restore_bundle(target, directory)


async def fill_log(target: Target, directory: Path) -> None:
    """Restore, and stop with the log filled."""
    stop_after(restore, "_fill")
    await restore_bundle(target, directory)


async def prepare(target: Target, directory: Path) -> None:
    """Migrate, and stop after the first step."""
    stop_after(migrate, "_apply")
    await migrate_log(target)


KINDS: dict[str, Callable[[Target, Path], Awaitable[None]]] = {
    "projector": project,
    "publisher": publish,
    "import": take_in,
    "rebuild": remake,
    "migration": prepare,
    "staging of a restore": stage_bundle,
    "restore": fill_log,
}


async def main(kind: str, target: Target, directory: Path) -> str:
    """Return the result of a kind of work."""
    try:
        await KINDS[kind](target, directory)
    except TrackerError as error:
        return error.code
    except CONNECTION_ERRORS:
        return "LOST"
    return "DONE"


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3]))))
