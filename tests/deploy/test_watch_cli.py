"""`tracker watch`: polls once or until stopped, and reports the result."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.config import settings
from deploy.config.settings import watch_options
from deploy.config.table import WrongSetting
from tests.support.processes import command
from tests.support.publishers.publisher import Page, Publisher, Status, unreachable
from tests.support.publishers.server import PublisherServer, playing

FEED = b"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Notices</title><id>urn:notices</id>
<updated>2026-03-01T08:00:00Z</updated>
<entry><title>Notice 7 on gallium</title><id>urn:notice:7</id><updated>2026-03-01T08:00:00Z</updated>
<published>2026-03-01T08:00:00Z</published><link href="https://example.com/7"/></entry>
</feed>"""


@pytest.fixture
async def feed() -> AsyncIterator[tuple[Publisher, PublisherServer]]:
    """Run a publisher of a feed."""
    publisher = Publisher({"/feed": Page(FEED, "application/atom+xml", "utf-8")})
    async with playing(publisher) as server:
        yield publisher, server


def table(server: PublisherServer) -> str:
    """Return the settings of a source at that server."""
    return f"""
[notices]
adapter = "feed"
name = "Notices"
publisher = "federal-register"
issuers = ["US"]
address = "{server.url}/feed"
pause_seconds = 0.1
[notices.options]
since = 2026-01-01
"""


async def run(data_dir: Path, *arguments: str, file: Path, **environment: str) -> Any:
    """Run the command to its end, while the test's server continues."""
    return await asyncio.to_thread(
        command,
        "watch",
        "notices",
        "--sources",
        str(file),
        *arguments,
        data_dir=data_dir,
        TRACKER_WATCH_NETWORKS="127.0.0.0/8",
        **environment,
    )


async def test_sources_are_listed_tried_looked_through_and_failures_have_an_exit_code(
    tmp_path: Path, data_dir: Path, feed: tuple[Publisher, PublisherServer]
) -> None:
    publisher, server = feed
    file = tmp_path / "sources.toml"
    file.write_text(table(server))
    tried = await run(data_dir, "--dry-run", file=file)
    assert (tried.returncode, tried.stderr.count("NOT COMPLETE")) == (0, 0), tried.stderr
    assert "Notice 7 on gallium" in tried.stdout
    looked = await run(data_dir, "--once", file=file, TRACKER_WATCH_CONTACT="https://me.example/")
    assert looked.returncode == 0, looked.stderr
    assert "notices: poll 1, 2 requests, 1 new documents, 1 new candidates" in looked.stderr
    agent = publisher.requests[-1].headers["user-agent"]
    assert agent.startswith("critical-minerals-policy-tracker/")
    assert agent.endswith(" (+https://me.example/)")
    publisher.fail("/feed", Status(404))
    failed = await run(data_dir, "--once", file=file)
    assert failed.returncode == 1
    assert "NOT COMPLETE: HTTP_STATUS" in failed.stderr
    listed = await run(data_dir, "--list", file=file)
    assert "HTTP_STATUS" in listed.stdout
    assert listed.stdout.startswith("notices\tfeed\tevery 24 h\tread 20")


async def test_without_a_network_it_is_said(tmp_path: Path, data_dir: Path) -> None:
    publisher = Publisher()
    publisher.fail("*", unreachable)
    async with playing(publisher) as server:
        file = tmp_path / "sources.toml"
        file.write_text(table(server))
        failed = await run(data_dir, "--once", file=file)
    assert failed.returncode == 1
    assert "NOT COMPLETE: UNREACHABLE" in failed.stderr


@pytest.mark.parametrize(
    ("text", "message"), [("[notices]\nadapter = 1\n", "notices.adapter"), ("[a b]", "line 1")]
)
def test_a_wrong_file_is_named_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(text)
    found = command("watch", "--once", "--sources", str(file), data_dir=tmp_path / "data")
    assert found.returncode == 1
    assert message in found.stderr
    assert "WRONG_SOURCES" in found.stderr


def test_a_source_that_there_is_not_is_refused(tmp_path: Path) -> None:
    found = command("watch", "psychic", "--once", data_dir=tmp_path / "data")
    assert (found.returncode, "UNKNOWN_SOURCE" in found.stderr) == (1, True)


def test_a_server_watches_only_where_it_is_told_to(tmp_path: Path) -> None:
    assert watch_options({}) is None
    assert watch_options({"TRACKER_WATCH": "off"}) is None
    found = watch_options({"TRACKER_WATCH": "default", "TRACKER_WATCH_CONTACT": "me@example.com"})
    assert found is not None
    assert found.agent.endswith(" (+me@example.com)")
    file = tmp_path / "mine.toml"
    file.write_text("[x]\n")
    with pytest.raises(WrongSetting, match=r"TRACKER_WATCH: .*mine\.toml.*x"):
        watch_options({"TRACKER_WATCH": str(file)})


@pytest.mark.parametrize(
    ("variable", "value"),
    [("TRACKER_WATCH_NETWORKS", "intranet"), ("TRACKER_WATCH_CONTACT", "me (at home)")],
)
def test_a_setting_that_can_not_be_is_refused(variable: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=variable):
        settings.check({variable: value})


def test_the_sources_that_ship_are_listed_where_there_is_no_database_yet(tmp_path: Path) -> None:
    listed = command("watch", "--list", data_dir=tmp_path / "none")
    assert listed.returncode == 0
    assert (
        "us-federal-register\tfederal-register\tevery 12 h\tread never\tnext now" in listed.stdout
    )
    assert "nothing was read yet" in listed.stderr
    assert not (tmp_path / "none").exists()
