"""A folder with the text of an invented act in three versions."""

from pathlib import Path

from deploy.bootstrap import open_pool
from deploy.cli.texts import record
from schema.services import Services
from tracker.postgres.database import WATCHER, Target
from tracker.snapshots.store import SnapshotStore
from tracker.texts.folder import read_version, version_files

ABOUT = """act = "Regulation on smelters"
issuer = "EU"
language = "en"
instrument = "export-control/x"
licence = "CC BY 4.0"
[source]
publisher = "eur-lex"
url = "https://eur-lex.europa.eu/smelters"
[versions."2021-09-09"]
kind = "adopted"
adoptedOn = "2021-05-20"
document = "32021R0001"
"""
FIRST = """# Regulation on smelters

#### Article 1

This Regulation covers smelters of gallium.

#### Article 2

Smelters shall report each year to the authority of their place.

#### Article 3

It applies from 9 September 2021.
"""
SECOND = FIRST.replace("each year", "each month")
THIRD = SECOND.replace("Article 3", "Article 4").replace(
    "#### Article 4", "#### Article 3\n\nRefiners of cobalt shall keep records.\n\n#### Article 4"
)
VERSIONS = {"2021-09-09": FIRST, "2023-01-01": SECOND, "2025-11-15": THIRD}


def write_folder(folder: Path) -> Path:
    """Write the folder of the act."""
    act = folder / "eu-2021-1"
    act.mkdir(parents=True)
    (act / "act.toml").write_text(ABOUT)
    for day, text in VERSIONS.items():
        (act / f"{day}.md").write_text(text)
    return folder


async def record_texts(services: Services, target: Target, folder: Path) -> list[bool]:
    """Record the texts in a folder; return which versions are new."""
    async with open_pool(target, role=WATCHER, size=1) as pool:
        store = SnapshotStore(pool)
        new = [await record(services, store, read_version(file)) for file in version_files(folder)]
    await services.projector.reach(await services.recorder.head())
    return new
