"""A snapshot of all versions as Parquet files: every state, on both time axes.

Each kind of entity has a file, with a manifest and a readme beside them. The files are renamed when all
are complete, the manifest last. So an older manifest never describes files of a crashed export.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct
from rich.console import Console

from deploy.export.parquet_columns import ParquetColumn, state_columns
from deploy.export.parquet_readme import snapshot_readme
from deploy.output.progress import progress_bar
from projections.fold.replay import STATE_FORMAT
from projections.query.all_versions import StoredVersion
from projections.query.moment import Moment
from schema.services import Services
from schema.tables.formats import LICENCE, PRODUCT, import_arrow
from tracker import clock
from tracker.audit.bundle.files import report_path
from tracker.domain.basics.codec import decode
from tracker.domain.events.registry import STATES
from tracker.errors import InvalidInput

ROWS_PER_GROUP = 20_000
BYTES_PER_GROUP = 32 * 1024 * 1024
"""Bytes of states as JSON after which a row group is written."""
MANIFEST, README = "manifest.json", "README.md"
FILES = {
    "alliance": "alliances",
    "announcement": "announcements",
    "coverage": "coverages",
    "export-control": "export_controls",
    "figure": "figures",
    "firm": "firms",
    "flow": "trade_flows",
    "import": "imports",
    "obligation": "obligations",
    "preference": "preferences",
    "redaction": "redactions",
    "source": "watched_sources",
    "text": "texts",
    "tariff-edition": "tariff_editions",
    "tariff-line": "tariff_lines",
}
"""File names, without extension."""


class SnapshotMoment(Struct, frozen=True):
    """The moment of a snapshot: all records up to a position.

    The digest is that of the state on the day of the last recorded event; it identifies the snapshot.
    """

    position: int
    known_at: datetime | None
    moment: Moment
    digest: str

    def lines(self) -> dict[str, str]:
        """Return the position, digest, licence and citation, by name."""
        position = str(self.position)
        return {
            "position": position,
            "known_at": self.known_at.isoformat() if self.known_at else "",
            "digest": f"sha256 {self.digest}",
            "state_format": str(STATE_FORMAT),
            "digest_valid_at": self.moment.valid_at.isoformat(),
            "licence": LICENCE,
            "cite": (
                f"{PRODUCT}, all versions at position {position}, digest {self.digest[:16]} on"
                f" {self.moment.valid_at}, and the publishers that it names."
            ),
        }


class KindFile:
    """The file of a kind, written one row group at a time."""

    def __init__(self, directory: Path, kind: str, lines: Mapping[str, str]):
        self._arrow, parquet = import_arrow()
        self._state: type[Any] = STATES[kind]
        self.columns = _columns(self._arrow, self._state)
        self.path = directory / f"{FILES[kind]}.parquet"
        self.rows = 0
        self._schema = self._arrow.schema(
            [self._arrow.field(column.name, column.type) for column in self.columns],
            metadata={"kind": kind, **lines},
        )
        self._writer = parquet.ParquetWriter(self.path, self._schema, compression="zstd")
        self._waiting: list[list[Any]] = []
        self._waiting_bytes = 0

    def add(self, version: StoredVersion) -> None:
        """Add a version."""
        row = VersionRow(version, decode(self._state, version.state))
        self._waiting.append([column.read(row) for column in self.columns])
        self._waiting_bytes += len(version.state)
        self.rows += 1
        if len(self._waiting) >= ROWS_PER_GROUP or self._waiting_bytes >= BYTES_PER_GROUP:
            self._write()

    def close(self) -> None:
        """Write pending rows and the end of the file."""
        if self._waiting:
            self._write()
        self._writer.close()

    def described(self) -> dict[str, Any]:
        """Return the entry in the manifest."""
        return {
            "name": self.path.name,
            "rows": self.rows,
            "bytes": self.path.stat().st_size,
            "sha256": _sha256(self.path),
            "columns": {column.name: str(column.type) for column in self.columns},
        }

    def _write(self) -> None:
        arrays = [
            self._arrow.array(list(values), column.type)
            for column, values in zip(self.columns, zip(*self._waiting, strict=True), strict=True)
        ]
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema))
        self._waiting, self._waiting_bytes = [], 0


class VersionRow(Struct, frozen=True):
    """A version with its state decoded."""

    version: StoredVersion
    state: Any


def _columns(arrow: Any, kind: type[Any]) -> list[ParquetColumn]:
    """Return the columns of a file: those of versions, and those of the states of its kind."""
    text, positions = arrow.string(), arrow.list_(arrow.int64())
    of_version = {
        "entity": text,
        "valid_from": arrow.date32(),
        "valid_until": arrow.date32(),
        "known_from": arrow.int64(),
        "known_until": arrow.int64(),
        "recorded_at": arrow.timestamp("us", tz="UTC"),
        "replaced_at": arrow.timestamp("us", tz="UTC"),
    }
    return [
        *(
            ParquetColumn(name, type_, attrgetter(f"version.{name}"))
            for name, type_ in of_version.items()
        ),
        ParquetColumn("key", text, attrgetter("state.id")),
        *(column.below("state") for column in state_columns(arrow, kind)),
        ParquetColumn(
            "because", positions, lambda row: [fact.position for fact in row.state.because]
        ),
        ParquetColumn("state", text, attrgetter("version.state")),
    ]


async def export_parquet(
    services: Services, position: int | None, directory: Path, note: Console
) -> SnapshotMoment:
    """Write all versions recorded up to a position, by default the last one.

    Raises InvalidInput if the directory cannot be written or has other content, or if the position does
    not exist. Raises TrackerError if pyarrow is not installed.
    """
    import_arrow()
    _check_directory(directory)
    of = await _moment(services, position)
    all_versions, lines = services.as_of.all_versions, of.lines()
    counts = await all_versions.count_rows(of.position)
    with report_path(directory), _directory_beside(directory) as part:
        described = []
        with progress_bar(note) as progress:
            task = progress.add_task("exporting", total=sum(counts.values()))
            for kind in STATES:
                file = KindFile(part, kind, lines)
                async for version in all_versions.of_kind(kind, of.position):
                    file.add(version)
                    progress.advance(task, version.rows)
                file.close()
                described.append(file.described())
        (part / README).write_text(snapshot_readme(lines, described), encoding="utf-8")
        manifest = {"product": PRODUCT, **lines, "files": described}
        (part / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2) + b"\n")
        _put_in_place(part, directory)
    rows = sum(file["rows"] for file in described)
    note.print(f"{directory}: {rows:,} versions at position {of.position}", markup=False)
    return of


async def _moment(services: Services, position: int | None) -> SnapshotMoment:
    at = (await services.as_of.resolve(position=position)).position
    events = await services.recorder.read(at - 1, limit=1) if at else []
    known_at = events[0].recorded_at if events else None
    moment = Moment((known_at or clock.now()).date(), at)
    return SnapshotMoment(at, known_at, moment, await services.as_of.digest(moment))


def _check_directory(directory: Path) -> None:
    """Check that a directory has no other content, such as a bundle. Raises InvalidInput."""
    if not directory.exists() or _is_snapshot(directory):
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise InvalidInput(
            f"{directory}: expected a new or empty directory, or an earlier snapshot in Parquet",
            code="NOT_EMPTY",
        )


def _is_snapshot(directory: Path) -> bool:
    """Whether a directory has an earlier snapshot, not only a manifest of something else."""
    try:
        return bool(orjson.loads((directory / MANIFEST).read_bytes())["product"] == PRODUCT)
    except (OSError, ValueError, LookupError, TypeError):
        return False


@contextmanager
def _directory_beside(directory: Path) -> Iterator[Path]:
    """Create a hidden directory in another one, for incomplete files."""
    directory.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=directory))
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _put_in_place(part: Path, directory: Path) -> None:
    """Rename the files, the manifest last, once all are on disk."""
    names = [*(f"{name}.parquet" for name in FILES.values()), README, MANIFEST]
    os.sync()
    for name in names:
        (part / name).replace(directory / name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
