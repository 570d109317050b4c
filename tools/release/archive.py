"""Archives with equal bytes for equal files."""

import gzip
import tarfile
from pathlib import Path

MOMENT = (1980, 1, 1, 0, 0, 0)
"""Time of all files in archives: the first that a ZIP file can have."""


def pack(directory: Path, name: str, archive: Path) -> None:
    """Write a directory as a gzipped tar file, below a name; links become the files that they lead to."""

    def of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed, dereference=True) as tar,
    ):
        # glob follows links to directories only if they are named
        for path in sorted({*directory.glob("*"), *directory.glob("*/*")}):
            tar.add(
                path, Path(name) / path.relative_to(directory), recursive=False, filter=of_nobody
            )
