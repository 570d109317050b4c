"""Folders of texts to import: for each act a folder with `act.toml` and a file for each version.

`eu-2021-821/act.toml` has the fields of `Text.Recorded` that the versions share, `[versions."2025-11-15"]`
those of one. `eu-2021-821/2025-11-15.md`, or `2025-11-15.de.md`, is the version that governs from that day.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from tracker.domain.basics.codec import decode_input, encode
from tracker.domain.controls.text import Recorded, Text
from tracker.errors import InvalidInput, TrackerError
from tracker.snapshots.digest import sha256_of
from tracker.texts.formats import read_text

ABOUT = "act.toml"
VERSION_FILE = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:\.(?P<language>[a-z]{2}))?\.(?P<format>md|txt|html|xml)"
)


class ReadVersion(NamedTuple):
    """A version in a file, with its fact."""

    file: Path
    stream: str
    fact: Recorded

    @property
    def event_id(self) -> str:
        """The id of its event, so that it counts once."""
        of = self.fact
        return f"text:{self.stream}:{of.language}:{of.on}:{of.sha256[:16]}"


def version_files(folder: Path) -> list[Path]:
    """Return the files of versions in a folder of acts, by act and day. Raises InvalidInput without one."""
    acts = sorted(about.parent for about in folder.rglob(ABOUT))
    files = [file for act in acts for file in sorted(act.iterdir()) if file.name != ABOUT]
    for file in files:
        if not VERSION_FILE.fullmatch(file.name):
            raise InvalidInput(
                f"{file}: expected a file such as 2021-09-09.md or 2021-09-09.de.html, named by the"
                " day from which the version governs",
                code="UNKNOWN_FORMAT",
            )
    if not files:
        raise InvalidInput(
            f"{folder}: expected a folder for each act with {ABOUT} and files such as 2021-09-09.md",
            code="NO_SUCH_FILE",
        )
    return files


def read_version(file: Path) -> ReadVersion:
    """Return the version in a file. Raises InvalidInput with the name of the file."""
    try:
        content = file.read_bytes()
        read_text(file.name, content)
        fact = decode_input(Recorded, encode(_fields(file, content)))
        fact.source.check_recordable()
    except (OSError, ValueError, TrackerError) as error:
        where = ".".join(map(str, getattr(error, "path", ())))
        place = f"{file}: {where}: " if where else "" if str(file) in str(error) else f"{file}: "
        raise InvalidInput(f"{place}{error}", code="INVALID_TEXT") from None
    return ReadVersion(file, f"{Text.KIND}/{file.parent.name}", fact)


def _fields(file: Path, content: bytes) -> dict[str, Any]:
    """Return the fields of the fact of a version."""
    named = VERSION_FILE.fullmatch(file.name)
    assert named
    about = tomllib.loads((file.parent / ABOUT).read_text("utf-8"))
    own = about.pop("versions", {}).get(named["day"], {})
    source = {**about.pop("source", {}), **own.pop("source", {})}
    fields = {"kind": "consolidated", **about, **own, "on": named["day"], "format": named["format"]}
    if named["language"]:
        fields["language"] = named["language"]
    fields |= {"sha256": sha256_of(content), "size": len(content)}
    source.setdefault("name", about.get("act"))
    source.setdefault("publishedOn", fields.get("adoptedOn", named["day"]))
    source.setdefault("checked", "page")
    if "copyOf" in source:
        source["copySha256"] = fields["sha256"]
    return {**fields, "source": source}
