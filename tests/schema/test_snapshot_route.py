"""Publishers' documents are served to readers as downloads that browsers do not display as ours."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from deploy.bootstrap import open_pool, running_tracker
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.snapshots import keep, redact
from tests.support.time_limits import within
from tests.support.web_server import serving
from tracker.postgres.database import WATCHER, Target
from tracker.snapshots.directory import CHUNK_BYTES
from tracker.snapshots.store import SnapshotStore

PAGE = b"<script>alert(1)</script>"
LARGE = os.urandom(2 * CHUNK_BYTES + 5)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    """Open a client of a real server."""
    async with (
        serving(services, Access()) as (address, *_),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(60)) as client,
    ):
        yield client


async def test_bytes_come_as_a_file_that_is_never_shown_as_a_page_of_ours(
    client: httpx2.AsyncClient, target: Target
) -> None:
    sha256 = await keep(target, PAGE, "text/html")
    found = await client.get(f"/snapshots/{sha256}")
    assert (found.status_code, found.content) == (200, PAGE)
    headers = found.headers
    assert headers["content-type"] == "text/html"
    assert headers["content-length"] == str(len(PAGE))
    assert headers["content-disposition"] == f'attachment; filename="{sha256}.html"'
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers["cache-control"] == "public, max-age=3600, immutable"
    assert headers["etag"] == f'"{sha256}"'

    again = await client.get(f"/snapshots/{sha256}", headers={"If-None-Match": headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    asked = await client.head(f"/snapshots/{sha256}")
    assert (asked.status_code, asked.headers["content-length"]) == (200, str(len(PAGE)))


@pytest.mark.parametrize("declared", [None, "nonsense", 'text/html\r\nX: "y"', "text/html; a=b"])
async def test_a_value_that_is_not_a_media_type_is_not_repeated(
    services: Services, target: Target, declared: str | None
) -> None:
    sha256 = await keep(target, PAGE, declared)
    found = await Api(services).request("GET", f"/snapshots/{sha256}")
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"] == f'attachment; filename="{sha256}"'


async def test_many_bytes_come_whole_and_so_do_none(
    client: httpx2.AsyncClient, target: Target
) -> None:
    for content in (LARGE, b""):
        found = await client.get(f"/snapshots/{await keep(target, content)}")
        assert (found.status_code, found.content) == (200, content)


async def test_redacted_bytes_are_gone_with_the_reason(
    client: httpx2.AsyncClient, target: Target
) -> None:
    sha256 = await keep(target, PAGE)
    tag = (await client.get(f"/snapshots/{sha256}")).headers["etag"]
    await redact(target, sha256)
    for headers in ({}, {"If-None-Match": tag}):
        found = await client.get(f"/snapshots/{sha256}", headers=headers)
        assert found.status_code == 410
        assert found.headers["cache-control"] == "no-store"
        [error] = found.json()["errors"]
        assert error["extensions"]["code"] == "REDACTED"
        assert "position 1: a court said so" in error["message"]


@each_case("path", ["0" * 64, "A" * 64, "0", "%00", "..%2f..", "0" * 64 + "%0a"])
async def test_unknown_and_invalid_hashes_are_not_found(services: Services, path: str) -> None:
    found = await Api(services).request("GET", f"/snapshots/{path}")
    assert found.status_code == 404


async def test_altered_and_lost_files_are_not_given_out(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_SNAPSHOTS", str(tmp_path))
    async with open_pool(target, role=WATCHER, size=1) as pool:
        sha256 = await SnapshotStore(pool, tmp_path).put(PAGE)
        large = await SnapshotStore(pool, tmp_path).put(LARGE)
    (tmp_path / large[:2] / large).write_bytes(LARGE[:-1] + b"!")
    async with (
        running_tracker(target) as services,
        serving(services, Access()) as (address, *_),
        httpx2.AsyncClient(base_url=f"http://{address}", timeout=within(60)) as client,
    ):
        assert (await client.get(f"/snapshots/{sha256}")).content == PAGE
        for damage in (b"other", None):
            file = tmp_path / sha256[:2] / sha256
            file.unlink() if damage is None else file.write_bytes(damage)
            found = await client.get(f"/snapshots/{sha256}")
            assert found.status_code == 503
        with pytest.raises(httpx2.RemoteProtocolError):  # it is cut off before its end
            await client.get(f"/snapshots/{large}")
        assert (await client.get("/healthz")).status_code == 200
