"""The edition of the data in a release: its identity, its changes, its metadata, its files.

Its id is the version and the size of the shipped log, such as `0.1.0+20354`. The changes are those beside an
earlier commit, usually the tag of the release before.
"""

import asyncio
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from datacite import schema45  # type: ignore[import-untyped]

from schema.metadata.facts import DESCRIPTION, KEYWORDS, TITLE
from schema.tables.formats import LICENCE_URL
from tools.answer_changes import compare, corpus_of, facts
from tools.release.archive import MOMENT
from tracker.audit.bundle.packed import PackedLog
from tracker.corpus.shipped import SHIPPED_LOG, releases
from tracker.log.entries import recorded
from tracker.sources.readers.corpus_format import SHIPPED_CORPUS

MAINTAINERS = "The maintainers of the critical-minerals policy tracker"
LICENCE = "CC-BY-4.0"


def write_edition(stem: Path, version: str, licence: Path, since: str | None) -> None:
    """Write the description, the metadata for DataCite and Zenodo, and an archive with the data."""
    edition = describe(version, since)
    texts = {
        "edition.json": edition,
        "datacite.json": datacite(edition),
        "zenodo.json": zenodo(edition),
    }
    files = {name: json.dumps(each, indent=1).encode() + b"\n" for name, each in texts.items()}
    for name, content in files.items():
        stem.with_name(f"{stem.name}.{name}").write_bytes(content)
    for path in (SHIPPED_CORPUS.path, licence):
        files[path.name] = path.read_bytes()
    for path in filter(Path.is_file, SHIPPED_LOG.rglob("*")):
        files[str(path.relative_to(SHIPPED_LOG.parent))] = path.read_bytes()
    with zipfile.ZipFile(stem.with_name(f"{stem.name}.zip"), "w") as archive:
        for name in sorted(files):
            archive.writestr(
                zipfile.ZipInfo(f"{stem.name}/{name}", MOMENT), files[name], zipfile.ZIP_DEFLATED
            )


def describe(version: str, since: str | None) -> dict[str, Any]:
    """Return the description of the edition. Without an earlier commit everything is new."""
    head = releases(SHIPPED_LOG)[-1]
    [*_, last] = asyncio.run(PackedLog(SHIPPED_LOG).all_entries())
    corpus = SHIPPED_CORPUS.path.read_bytes()
    types = Counter(name.split(" ")[0] for name in facts(corpus))
    changes = compare(corpus_of(since), corpus) if since else None
    return {
        "id": f"{version}+{head.size}",
        "version": version,
        "date": recorded(last).recorded_at.date().isoformat(),
        "licence": LICENCE,
        "log": {"origin": head.origin, "size": head.size, "root": head.root.hex()},
        "corpus": {"sha256": SHIPPED_CORPUS.sha256(), "facts": dict(sorted(types.items()))},
        "previous": since,
        "changes": changes,
    }


def datacite(edition: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata for a DOI (DataCite 4.5). Raises ValidationError. Pure."""
    metadata = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Event log"},
        "creators": [{"name": MAINTAINERS, "nameType": "Organizational"}],
        "titles": [{"title": TITLE}],
        "publisher": {"name": MAINTAINERS},
        "publicationYear": edition["date"][:4],
        "dates": [{"date": edition["date"], "dateType": "Issued"}],
        "version": edition["id"],
        "language": "en",
        "subjects": [{"subject": word} for word in KEYWORDS],
        "descriptions": [{"description": DESCRIPTION, "descriptionType": "Abstract"}],
        "rightsList": [
            {
                "rights": "Creative Commons Attribution 4.0 International",
                "rightsIdentifier": LICENCE,
                "rightsIdentifierScheme": "SPDX",
                "rightsUri": LICENCE_URL,
            }
        ],
    }
    schema45.validator.validate(metadata)
    return metadata


def zenodo(edition: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a deposit at Zenodo. Pure."""
    return {
        "metadata": {
            "upload_type": "dataset",
            "title": TITLE,
            "creators": [{"name": MAINTAINERS}],
            "description": DESCRIPTION,
            "keywords": list(KEYWORDS),
            "license": LICENCE.lower(),
            "publication_date": edition["date"],
            "version": edition["id"],
            "language": "eng",
        }
    }
