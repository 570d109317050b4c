"""A small signed log as a static site, its files, and a plain web server for them."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from deploy.bootstrap import running_tracker
from deploy.cli.publish import publish_database
from tests.support.fact_builders import announced, claimed, fact, suspended
from tests.support.waiting import all_signed
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.domain.actors.alliance import Founded, Renamed
from tracker.postgres.database import Target

DAY = date(2026, 11, 29)
MOST_PAGES = ("commodities", "docs", "places")
"""Parts with hundreds of pages, even of a small log."""
FACTS = (
    ("export-control/cn-gallium", announced()),
    ("export-control/cn-gallium", suspended("1")),
    ("alliance/quad", fact(Founded, "2025-07-01", name="Quad")),
    ("figure/rare_earths/CN/production/mine/2023", claimed(240000)),
    ("figure/rare_earths/CN/production/mine/2022", claimed(210000, year=2022)),
)


async def record_small_log(target: Target, keystore: KeyStore) -> None:
    """Record an act with a suspension, an alliance and two figures, and sign the log."""
    async with running_tracker(target, SigningOptions(keystore)) as services:
        for number, (entity, recorded) in enumerate(FACTS):
            await services.commands.record(entity, recorded, idempotency_key=str(number))
        await all_signed(services)


async def rename_alliance(target: Target, keystore: KeyStore) -> None:
    """Record another fact, and sign the log."""
    async with running_tracker(target, SigningOptions(keystore)) as services:
        await services.commands.record(
            "alliance/quad", fact(Renamed, "2026-01-01", name="Quad+"), idempotency_key="rename"
        )
        await all_signed(services)


async def publish(
    target: Target,
    directory: Path,
    keystore: KeyStore,
    *omitted: str,
    base_url: str = "/",
    signed: bool = True,
    receipts: bool = False,
) -> bool:
    """Publish a log as a site of a fixed day."""
    keys = [str(key) for key in keystore.keys().all] if signed else None
    signing = SigningOptions(keystore) if receipts else None
    return await publish_database(
        target, directory, DAY, None, base_url, frozenset(omitted), keys=keys, signing=signing
    )


def contents(directory: Path) -> dict[str, bytes]:
    """Return the files of a site by their paths."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def manifest_of(directory: Path) -> dict[str, Any]:
    """Return the manifest of a site, after a check of the digests and of nothing beside it."""
    manifest: dict[str, Any] = json.loads((directory / "manifest.json").read_bytes())
    digests = {
        name: hashlib.sha256(content).hexdigest() for name, content in contents(directory).items()
    }
    del digests["manifest.json"]
    assert digests == {file["name"]: file["sha256"] for file in manifest["files"]}
    return manifest


def broken_links(directory: Path) -> list[tuple[str, str]]:
    """Return the links of pages that lead to no file or to no element, with their pages."""
    files = contents(directory)
    pages = {name: content.decode() for name, content in files.items() if name.endswith(".html")}
    ids = {name: {*re.findall(r'\bid="([^"]*)"', text)} for name, text in pages.items()}
    broken = []
    for name, text in pages.items():
        for written in re.findall(r'\b(?:href|src|action)="([^"]*)"', text):
            link, fragment = urldefrag(urljoin(f"http://site/{name}", unescape(written)))
            if not link.startswith("http://site/"):
                continue
            file = unquote(link.removeprefix("http://site/"))
            if file not in files or (fragment and unquote(fragment) not in ids.get(file, ())):
                broken.append((name, written))
    return broken


class Quiet(SimpleHTTPRequestHandler):
    """The file server of `python -m http.server`, without lines."""

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing."""


@contextmanager
def file_server(directory: Path) -> Iterator[str]:
    """Serve a directory, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
