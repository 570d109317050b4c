"""The log of an auditor's command, and the trusted keys."""

import stat
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from msgspec import Struct

from deploy.cli.common import is_web, report_errors, stderr
from deploy.cli.process import catch_signals, run
from deploy.config import settings
from deploy.config.table import TABLE
from deploy.postgres import default_data_dir
from tracker.audit.bundle.files import report_path
from tracker.audit.bundle.packed import PackedLog
from tracker.audit.format.layout import KEY, BundleFiles, LogFiles
from tracker.audit.format.signed_note import Verifier
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.verify.http_source import HttpSource
from tracker.audit.verify.report import KeySource
from tracker.audit.verify.trust import TrustPolicy
from tracker.errors import InvalidInput

T = TypeVar("T")
TrustBundleKey = Annotated[
    bool,
    typer.Option(
        "--trust-bundle-key",
        help="Use the key in the bundle if no --key is given. This shows that the bundle is "
        "consistent, but not who made it: a forged bundle contains the forger's key.",
    ),
]
AllowMissingTexts = Annotated[
    bool,
    typer.Option(
        "--allow-missing-texts",
        help="Accept a bundle without texts (notes, quotations) that no event redacts, as in a copy of"
        " a log without them. Altered texts are still rejected.",
    ),
]
AllowMissingSnapshots = Annotated[
    bool,
    typer.Option(
        "--allow-missing-snapshots",
        help="Accept a bundle without snapshots (publishers' documents) that no event redacts, as in "
        "an export without them. Altered snapshots are still rejected.",
    ),
]
OWN_KEY = (
    "The key is from the bundle: this shows that the bundle is consistent, but does not prove the origin"
    " of the log. Add --key."
)


class ChosenKeys(Struct, frozen=True):
    """The trusted keys and their origin."""

    trust: TrustPolicy
    source: KeySource


@contextmanager
def open_log(name: str, *, with_snapshots: bool = False) -> Iterator[LogFiles]:
    """Open a bundle, or the log at an address, if requested with its snapshots."""
    if not is_web(name):
        yield bundle_at(Path(name))
        return
    with closing(
        HttpSource(name, token=settings.token(), with_snapshots=with_snapshots)
    ) as website:
        yield website


def bundle_at(directory: Path) -> BundleFiles:
    """Open the bundle in a directory. A wrong path is a usage error, not a rejection."""
    try:
        mode = directory.stat().st_mode
        problem = "" if stat.S_ISDIR(mode) else "is a file"
    except FileNotFoundError:
        problem = "there is no such directory"
    except OSError as error:
        problem = error.strerror or "it can't be read"
    if problem:
        raise typer.BadParameter(
            f"{directory}: {problem}: expected the directory of a bundle, as"
            " `tracker export` makes it"
        )
    return PackedLog(directory) if PackedLog.is_at(directory) else BundleFiles(directory)


async def trust_in(
    log: LogFiles,
    keys: list[str] | None,
    *,
    trust_bundle_key: bool = False,
    witnesses: tuple[Verifier, ...] = (),
) -> ChosenKeys:
    """Return the given keys, or else, if allowed, those in a bundle, which prove less.

    Raises InvalidInput (NO_KEY).
    """
    if keys:
        return ChosenKeys(TrustPolicy(read_keys(keys), witnesses), KeySource.GIVEN)
    content = await log.read(KEY) if trust_bundle_key and isinstance(log, BundleFiles) else None
    if content is None:
        or_else = (
            " A bundle can be verified with the key that lies in it (--trust-bundle-key),"
            " but anyone can forge one with a key of their own."
            if isinstance(log, BundleFiles)
            else ""
        )
        raise InvalidInput(
            "expected --key: the key of the log, which you have from elsewhere." + or_else,
            code="NO_KEY",
        )
    stderr.print(OWN_KEY, style="yellow")
    return ChosenKeys(TrustPolicy(parse_keys(content), witnesses), KeySource.BUNDLE)


def own_keys(keys: list[str] | None, data_dir: Path | None) -> ChosenKeys:
    """Return the given keys, or else all keys that ever signed here. Raises InvalidInput, NotFound."""
    if keys:
        return ChosenKeys(TrustPolicy(read_keys(keys)), KeySource.GIVEN)
    directory = settings.audit_dir(data_dir or default_data_dir())
    if directory is None:
        raise InvalidInput(
            f"expected --key, or the keys of the log in {TABLE['AUDIT_DIR'].variable}",
            code="NO_KEY",
        )
    return ChosenKeys(TrustPolicy(KeyStore(directory).keys().all), KeySource.AUDIT_DIRECTORY)


def read_keys(texts: list[str]) -> tuple[Verifier, ...]:
    """Read keys, or files of them. Raises InvalidInput."""
    keys = list[Verifier]()
    for text in texts:
        with report_path(Path(text)) as path:
            is_file = "+" not in text or path.is_file()
            keys.extend(parse_keys(path.read_bytes() if is_file else text.encode()))
    if not keys:
        raise InvalidInput(
            "no key in --key: expected a verifier key, or a file of them", code="NO_KEY"
        )
    return tuple(keys)


def parse_keys(content: bytes) -> tuple[Verifier, ...]:
    """Parse keys, one per line, as `tracker key show` prints them. Raises InvalidInput."""
    lines = [line.split("\t")[0].strip() for line in content.decode(errors="replace").splitlines()]
    return tuple(Verifier.parse(line) for line in lines if line)


def run_without_database(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run work that needs no database."""
    catch_signals()
    with report_errors():
        return run(work())
