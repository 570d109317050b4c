"""A static site: its files, links, manifest and log, and what a second or interrupted run leaves."""

import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner

import deploy.export.static_site.publish
import schema.receipts.issuer
from deploy.bootstrap import open_pool
from deploy.cli.main import app
from deploy.cli.process import Exit
from deploy.cli.publish import keys_of_receipts
from deploy.export.static_site import requests
from deploy.export.static_site.addresses import Addresses, Reason
from deploy.export.static_site.files import open_site
from deploy.export.static_site.pages import StaticPages
from deploy.export.static_site.publish import Crawl
from deploy.export.static_site.requests import Reply
from tests.support.cases import each_case
from tests.support.fact_builders import announced
from tests.support.independent_verifier import check_bundle, check_receipt
from tests.support.processes import Running, run
from tests.support.published_sites import (
    MOST_PAGES,
    broken_links,
    contents,
    file_server,
    manifest_of,
    publish,
    record_small_log,
    rename_alliance,
)
from tests.support.time_limits import within
from tracker.audit.receipts.receipt import Receipt
from tracker.audit.sign.keystore import KeyStore
from tracker.domain.entities.entity import Entity
from tracker.errors import InvalidInput
from tracker.log.entries import new_event
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

SITE = Addresses("2026-11-29", "5")
NOW = "valid=2026-11-29&position=5"


@each_case(
    ("address", "file"),
    [
        (f"/?{NOW}", "index.html"),
        (f"/controls?{NOW}", "controls/index.html"),
        (f"/controls?status=IN_FORCE&{NOW}", "controls/status=IN_FORCE/index.html"),
        (f"/controls?after=abc&start=21&{NOW}", "controls/start=21/index.html"),
        (
            f"/figures/tin/CN/production/mine/2023.json?{NOW}",
            "figures/tin/CN/production/mine/2023.json",
        ),
        (f"/index.csv?{NOW}", "index.csv"),
        (f"/tables/clauses.csv?{NOW}", "tables/clauses.csv"),
        (f"/tables/clauses.csv?issuer=CN&{NOW}", "tables/clauses/issuer=CN.csv"),
        (
            f"/tables/clauses.csv?issuer=CN&{NOW}&header=none",
            "tables/clauses/issuer=CN/header=none.csv",
        ),
        (f"/tables/clauses.csv-metadata.json?{NOW}", "tables/clauses.csv-metadata.json"),
        (f"/events?type=A%20%26%20B/..&{NOW}", "events/type=A~20~26~20B~2F../index.html"),
        ("/docs/operating/scale", "docs/operating/scale/index.html"),
        ("/static/0f/style.css", "static/0f/style.css"),
        ("/controls", Reason.DATES),
        ("/controls?valid=2026-11-28&position=5", Reason.DATES),
        (f"/changes?from=2026-10-01&{NOW}", Reason.DATES),
        (f"/controls?issuer=CN&commodity=gallium&{NOW}", Reason.FILTERS),
        (f"/controls?issuer=CN&status=IN_FORCE&{NOW}", Reason.FILTERS),
        (f"/tables/clauses.csv?hsCode=811292&{NOW}", Reason.FILTERS),
        (f"/controls.csv?issuer=CN&{NOW}", Reason.FILTERS),
        (f"/tables/clauses.csv-metadata.json?issuer=CN&{NOW}", Reason.FILTERS),
        (f"/commodities/tin/dependence?importer=JP&{NOW}", Reason.FILTERS),
        (f"/tables/imports.csv?importer=JP&{NOW}", "tables/imports/importer=JP.csv"),
        (f"/controls.xlsx?{NOW}", Reason.FORMATS),
        ("/controls.atom", Reason.FEEDS),
        (f"/search?q=tin&{NOW}", Reason.SEARCH),
        (f"/check?{NOW}", Reason.CHECK),
        ("/graphql?query=x", Reason.API),
        ("/sign-in", Reason.ACCOUNTS),
        ("/log/proof/5", Reason.LOG),
        (f"/controls.receipt?{NOW}", Reason.RECEIPTS),
    ],
)
def test_an_address_has_a_file_or_a_reason(address: str, file: str) -> None:
    assert SITE.file_of(address) == file


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_names_need_no_escapes_and_stay_inside_the_site(key: str, value: str) -> None:
    file = SITE.file_of(f"/controls/{quote(key, safe='')}?issuer={quote(value, safe='')}&{NOW}")
    if isinstance(file, Reason):
        return  # a key that ends like a file
    parts = file.split("/")
    assert re.fullmatch(r"[A-Za-z0-9._=,~/-]+", file)
    assert parts[0] == "controls"
    assert not {"", ".", ".."} & {*parts}
    assert all(len(part) <= 255 for part in parts)


@given(
    st.lists(
        st.text(alphabet="ab/~.=", min_size=1, max_size=8), min_size=2, max_size=6, unique=True
    )
)
def test_different_values_have_different_files(values: list[str]) -> None:
    files = {SITE.file_of(f"/controls?issuer={quote(value, safe='')}&{NOW}") for value in values}
    assert len(files) == len(values)


def test_a_page_loses_what_needs_the_server() -> None:
    page, links = StaticPages(SITE, "https://example.org/m/").page(
        '<link rel="canonical" href="http://static-site.invalid/controls/x?valid=2026-11-29&amp;position=5">'
        '<link rel="alternate" type="a" title="Atom" href="/controls/x.atom">'
        '<script type="module" src="/static/0f/time.js"></script>'
        '<script type="module" src="/static/0f/tables.js"></script>'
        '<form class="time"><input name="valid"></form>'
        '<form class="filter"><input name="issuer"></form>'
        f'<a href="/figures?{NOW.replace("&", "&amp;")}#claims">Figures</a>'
        '<a href="/controls/x">Now</a><a href="#top">Top</a><a href="https://example.com/">Act</a>',
        "controls/x/index.html",
    )
    assert page == (
        '<link rel="canonical" href="https://example.org/m/controls/x/index.html">'
        '<script type="module" src="../../static/0f/tables.js"></script>'
        '<p class="note">This form needs the server: <a href="../../not-published/index.html#filters">'
        "published pages</a>.</p>"
        '<a href="../../figures/index.html#claims">Figures</a>'
        '<a href="../../not-published/index.html#dates">Now</a><a href="#top">Top</a>'
        '<a href="https://example.com/">Act</a>'
    )
    assert links == ["/static/0f/tables.js", f"/figures?{NOW}"]


async def test_every_link_of_a_site_leads_to_one_of_its_files(
    target: Target, keystore: KeyStore, tmp_path: Path
) -> None:
    await record_small_log(target, keystore)
    site, base = tmp_path / "site", "https://example.org/minerals/"
    assert await publish(target, site, keystore, *MOST_PAGES, base_url=base)
    files, manifest = contents(site), manifest_of(site)
    assert broken_links(site) == []
    assert (manifest["valid_at"], manifest["position"], manifest["missing"]) == (
        "2026-11-29",
        "5",
        {},
    )
    for name, content in files.items():
        assert b"static-site.invalid" not in content, name
        if name.endswith(".html"):
            page = content.decode()
            assert not re.search(r"<form|<search|proof\.js|time\.js|live\.js|data-proof=", page), (
                name
            )
    act = files["controls/cn-gallium/index.html"].decode()
    assert 'This page is about <time datetime="2026-11-29">' in act
    assert "Data as recorded at position 5" in act
    assert f'<link rel="canonical" href="{base}controls/cn-gallium/index.html">' in act
    assert f"url = {{{base}controls/cn-gallium/index.html}}" in act
    table = json.loads(files["tables/clauses.json"])
    assert [row["status"] for row in table["rows"]] == ["IN_FORCE"]
    assert table["about"]["address"] == f"{base}tables/clauses.json"
    with_comments = files["tables/clauses.csv"].decode()
    bare = files["tables/clauses/header=none.csv"].decode()
    assert with_comments.startswith("# table: clauses")
    assert with_comments.endswith(bare)
    assert not bare.startswith("#")
    assert f"address: {base}tables/clauses.csv" in with_comments
    for name in ("tables/claims.csv-metadata.json", "controls/cn-gallium.svg", "log/checkpoint"):
        assert name in files


async def test_a_second_run_writes_only_changed_files(
    target: Target, keystore: KeyStore, tmp_path: Path
) -> None:
    await record_small_log(target, keystore)
    site = tmp_path / "site"
    await publish(target, site, keystore, *MOST_PAGES)
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file()}
    await publish(target, site, keystore, *MOST_PAGES)
    assert before == {path: path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file()}
    (site / "own.txt").write_text("of the operator")
    await rename_alliance(target, keystore)
    await publish(target, site, keystore, *MOST_PAGES, "alliances")
    assert (site / "own.txt").exists()
    (site / "own.txt").unlink()
    after = manifest_of(site)
    assert after["position"] == "6"
    assert not any(file["name"].startswith("alliances") for file in after["files"])
    assert broken_links(site) == []
    assert "position 6" in (site / "controls" / "cn-gallium" / "index.html").read_text()
    unchanged = [
        path for path in before if path.exists() and path.stat().st_mtime_ns == before[path]
    ]
    assert any("static" in path.parts for path in unchanged)


@each_case(
    ("address", "file"),
    [
        (f"/index.receipt?{NOW}", "index.receipt.json"),
        (f"/controls.receipt?status=IN_FORCE&{NOW}", "controls/status=IN_FORCE.receipt.json"),
        (f"/controls.receipt?issuer=CN&{NOW}", "controls/issuer=CN.receipt.json"),
        (f"/controls.receipt?issuer=CN&hsCode=811292&{NOW}", Reason.FILTERS),
        (f"/controls/receipt?{NOW}", "controls/receipt/index.html"),
        ("/controls.receipt", Reason.DATES),
        (f"/tables/clauses.receipt?{NOW}", Reason.RECEIPTS),
    ],
)
def test_the_receipt_of_a_page_is_beside_it(address: str, file: str) -> None:
    assert Addresses("2026-11-29", "5", has_receipts=True).file_of(address) == file


def test_receipts_need_the_keys_of_the_log_and_may_be_omitted(
    keystore: KeyStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signing = keys_of_receipts(tmp_path, ["events"])
    assert signing is not None
    assert signing.keystore.keys().all == keystore.keys().all
    assert keys_of_receipts(tmp_path, ["events", "receipts"]) is None
    assert capsys.readouterr().err == ""
    assert keys_of_receipts(tmp_path / "elsewhere", []) is None
    assert "The pages have no receipts" in capsys.readouterr().err


WRITER = """
import sys
from pathlib import Path
from deploy.export.static_site.files import open_site

for run in range(10**6):
    with open_site(Path(sys.argv[1])) as files:
        for name in "abc" if run % 2 else "bcd":
            files.write(f"{name}/index.html", str(run).encode())
        files.finish({"run": run})
    print(run, flush=True)
"""


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_run_that_is_killed_leaves_a_whole_site(tmp_path: Path, exchanges: bool) -> None:
    site = tmp_path / "site"
    without = "import ctypes; ctypes.CDLL = lambda name, **options: None\n"
    program = WRITER if exchanges else without + WRITER
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(site)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(random.uniform(0, 0.1))
            writer.kill()
        if exchanges or site.exists():
            manifest = manifest_of(site)
            assert {*contents(site).values()} > {str(manifest["run"]).encode()}
            assert len(manifest["files"]) == 3
    with open_site(site) as files:
        files.write("index.html", b"last")
        files.finish({})
    assert contents(site).keys() == {"index.html", "manifest.json"}
    assert [*tmp_path.iterdir()] == [site]


async def test_ids_of_older_logs_that_end_like_files_end_no_run(
    target: Target, keystore: KeyStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await record_small_log(target, keystore)
    ids = ("index.html", "x.csv", "y.receipt")
    async with open_pool(target) as pool:
        for number, id in enumerate(ids):
            stream = f"export-control/{id}"
            event = Entity.Event(
                *(stream, 1, datetime(2026, 3, 1, tzinfo=UTC), f"k{number}"), announced(title=id)
            )
            await Recorder(pool).append([new_event(event, None)])
    site = tmp_path / "site"
    assert await publish(target, site, keystore, *MOST_PAGES, "figures", "events", signed=False)
    manifest = manifest_of(site)
    printed = " ".join(capsys.readouterr().err.split())
    assert "controls/index~2Ehtml/index.html" in contents(site)
    assert [address.partition("?")[0] for address in manifest["missing"]] == ["/controls/x.csv"]
    assert printed.count("is missing: its id ends like a file") == 1


LINKS = ("controls", "log", "controls/a")


@pytest.mark.parametrize("link", LINKS)
def test_a_directory_with_a_link_to_another_one_is_refused(tmp_path: Path, link: str) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with open_site(site) as files:
        files.write("index.html", b"first")
        files.finish({})
    (site / link).parent.mkdir(exist_ok=True)
    (site / link).symlink_to(elsewhere)

    def write() -> None:
        with open_site(site) as files:
            files.write(f"{link}/index.html", b"second")
            files.finish({})

    with pytest.raises(InvalidInput, match="is a link") as refused:
        write()
    assert refused.value.code == "LINK_REFUSED"
    assert not list(elsewhere.iterdir())


def test_a_mount_point_is_refused_before_the_work() -> None:
    with pytest.raises(InvalidInput, match="expected a directory in it") as refused:
        open_site(Path("/dev")).__enter__()
    assert refused.value.code == "MOUNT_POINT"


def test_the_directory_of_a_site_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "site")
    with open_site(tmp_path / "link") as files:
        files.write("index.html", b"first")
        files.finish({})
    assert contents(tmp_path / "site").keys() == {"index.html", "manifest.json"}


@pytest.mark.parametrize("outside", ["{}/letter.txt", "../letter.txt", "a/../../letter.txt"])
def test_a_manifest_that_names_files_outside_is_refused(tmp_path: Path, outside: str) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("mine")
    site, name = tmp_path / "site", outside.format(tmp_path)
    site.mkdir()
    manifest = {"content": "static site", "files": [{"name": name}]}
    (site / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InvalidInput) as refused, open_site(site) as files:
        files.finish({})
    assert refused.value.code == "NOT_EMPTY"
    assert letter.read_text() == "mine"


def test_a_directory_with_other_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="earlier static site") as refused, open_site(tmp_path):
        pass
    assert refused.value.code == "NOT_EMPTY"


def test_a_site_is_written_by_one_run_at_a_time(tmp_path: Path) -> None:
    with open_site(tmp_path), pytest.raises(InvalidInput) as refused, open_site(tmp_path):
        pass
    assert refused.value.code == "IN_USE"


async def test_an_auditor_verifies_the_log_of_a_site_at_its_address(
    target: Target, keystore: KeyStore, tmp_path: Path
) -> None:
    await record_small_log(target, keystore)
    await publish(target, tmp_path / "site", keystore, *MOST_PAGES, "controls", "alliances")
    key = str(keystore.keys().all[0])
    with file_server(tmp_path / "site") as url:
        verified = await asyncio.to_thread(run, "verify", f"{url}/log", "--key", key)
    assert verified.returncode == 0, verified.stderr
    assert "verified: 5 events" in verified.stdout


async def test_a_mirror_follows_the_log_of_a_site(
    target: Target,
    keystore: KeyStore,
    tmp_path: Path,
    data_dir: Path,
    start: Callable[..., Running],
) -> None:
    site = tmp_path / "site"
    await record_small_log(target, keystore)
    await publish(target, site, keystore, *MOST_PAGES, "controls", "alliances")
    with file_server(site) as url:
        options = ("--mirror", f"{url}/log", "--key", str(keystore.keys().all[0]))
        mirror = await asyncio.to_thread(start, "serve", *options, data_dir=data_dir)
        assert mirror.ask("{ head }")["data"] == {"head": "5"}
        await rename_alliance(target, keystore)
        await publish(target, site, keystore, *MOST_PAGES, "controls", "alliances")
        async with asyncio.timeout(within(10)):
            while mirror.ask("{ head }")["data"] != {"head": "6"}:
                await asyncio.sleep(0.1)
        mirror.stop()


async def test_receipts_of_a_site_are_of_its_log_though_events_arrive_meanwhile(
    target: Target, keystore: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record_small_log(target, keystore)
    monkeypatch.setattr(schema.receipts.issuer, "HEAD_SECONDS", 0)
    recorded = asyncio.Lock()

    async def get(*arguments: Any) -> Reply:
        if not recorded.locked():  # once, during the crawl
            await recorded.acquire()
            await rename_alliance(target, keystore)
        return await requests.get(*arguments)

    monkeypatch.setattr(deploy.export.static_site.publish, "get", get)
    site = tmp_path / "site"
    omitted = (*MOST_PAGES, "figures", "events", "alliances", "facts", "tables", "sources")
    await publish(target, site, keystore, *omitted, receipts=True)
    assert manifest_of(site)["position"] == "5"
    receipts = sorted(site.rglob("*.receipt.json"))
    sizes = {
        int(Receipt.parse(file.read_bytes()).statement.checkpoint.split("\n")[1])
        for file in receipts
    }
    assert max(sizes) == 6
    keys = [str(key) for key in keystore.keys().all]
    checked = [check_receipt(file.read_bytes(), keys, ()) for file in receipts]
    check_bundle(site / "log", keys, checked)


def test_a_base_address_is_an_address() -> None:
    for wrong in ("example.org", "ftp://example.org/", "https://example.org/?a=1", 'https://a/"b'):
        refused = CliRunner().invoke(app, ["publish", "site", "--base-url", wrong])
        assert refused.exit_code == Exit.USAGE
        assert "--base-url" in refused.output


def test_unchanged_files_are_in_the_manifest(tmp_path: Path) -> None:
    for changed in (["a"], []):
        with open_site(tmp_path) as files:
            files.write("a", b"same")
            assert (files.changed, files.count, files.total_bytes) == (changed, 1, 4)
            files.finish({})


async def test_an_address_that_is_not_answered_is_missing(tmp_path: Path) -> None:
    requests = Counter[str]()

    async def answer(request: Request) -> Response:
        requests[request.url.path] += 1
        if request.url.path == "/controls":
            links = "".join(
                f'<a href="/controls/{key}?{NOW}">x</a>' for key in ("gone", "late", "x")
            )
            return Response(links, media_type="text/html")
        if request.url.path == "/controls/late" and requests["/controls/late"] == 2:
            return Response("late", media_type="text/html")
        status = {"/controls/x": 200, "/controls/late": 503}.get(request.url.path, 404)
        return Response("x", status, media_type="text/html")

    application = Starlette(routes=[Route("/{path:path}", answer)])
    with open_site(tmp_path) as files:
        crawl = Crawl(application, StaticPages(SITE), files, lambda made, known: None)
        await crawl.run([f"/controls?{NOW}"], [f"/tables/clauses.csv?{NOW}"])
    assert crawl.missing == {f"/controls/gone?{NOW}": "404"}
    assert requests["/controls/late"] == 2
    assert crawl.pages_written == 3


async def test_a_failed_write_ends_the_run_with_its_cause(tmp_path: Path) -> None:
    async def answer(request: Request) -> Response:
        return Response("x", media_type="text/html")

    application = Starlette(routes=[Route("/{path:path}", answer)])
    with open_site(tmp_path) as files:
        files.write("controls", b"a file where a directory is needed")
        crawl = Crawl(application, StaticPages(SITE), files, lambda made, known: None)
        with pytest.raises(InvalidInput, match=r"controls.*index\.html"):
            await crawl.run([f"/controls?{NOW}"], [])


async def test_pages_have_receipts_that_an_auditor_verifies_and_a_second_run_keeps(
    target: Target, keystore: KeyStore, tmp_path: Path
) -> None:
    await record_small_log(target, keystore)
    site, omitted = tmp_path / "site", (*MOST_PAGES, "figures", "events")
    assert await publish(target, site, keystore, *omitted, receipts=True)
    files = contents(site)
    receipts = {name for name in files if name.endswith(".receipt.json")}
    assert {
        "index.receipt.json",
        "controls.receipt.json",
        "controls/cn-gallium.receipt.json",
    } <= receipts
    assert broken_links(site) == []
    assert 'href="../../controls/cn-gallium.receipt.json" download' in (
        files["controls/cn-gallium/index.html"].decode()
    )
    key, bundle = str(keystore.keys().all[0]), site / "log"
    for name in ("index.receipt.json", "controls/cn-gallium.receipt.json"):
        verified = await asyncio.to_thread(
            run, "verify", str(bundle), "--receipt", str(site / name), "--key", key
        )
        assert verified.returncode == 0, verified.stderr
    changed = files["controls.receipt.json"].replace(b"cn-gallium", b"cn-gallivm")
    (site / "controls.receipt.json").write_bytes(changed)
    assert await publish(target, site, keystore, *omitted, receipts=True)
    again = contents(site)
    assert [name for name in receipts if again[name] != files[name]] == ["controls.receipt.json"]
    assert again["controls.receipt.json"] != changed
    assert await publish(target, site, keystore, *omitted)
    assert not any(name.endswith(".receipt.json") for name in contents(site))
    assert broken_links(site) == []
