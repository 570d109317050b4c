"""The readme of a Parquet snapshot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

README = Path(__file__).with_suffix(".txt").read_text("utf-8")


def snapshot_readme(lines: Mapping[str, str], files: Sequence[Mapping[str, Any]]) -> str:
    """Return the readme for a snapshot with these files."""
    return README.format(
        position=lines["position"],
        day=lines["digest_valid_at"],
        digest=lines["digest"].removeprefix("sha256 "),
        state_format=lines["state_format"],
        licence=lines["licence"],
        cite=lines["cite"],
        files="\n".join(f"| `{file['name']}` | {file['rows']:,} |" for file in files),
    )
