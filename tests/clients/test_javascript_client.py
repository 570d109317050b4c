"""The JavaScript client against a running server."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from schema.services import Access, Services
from tests.clients.test_python_client import record
from tests.support.node import has_node, node
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.support.web_server import serving

pytestmark = pytest.mark.skipif(
    not has_node(), reason="this needs node and npm, which this machine does not have"
)
CHECK = """
import { Tracker, TrackerError } from "critical-minerals-policy-tracker-client";

const tracker = new Tracker(process.argv[2]);
const day = tracker.asOf("2025-11-20");
const all = async (nodes) => {
  const read = [];
  for await (const node of nodes) read.push(node);
  return read;
};
const filters = { commodity: "gallium" };
const lists = await Promise.all([day.exportControls({ ...filters, status: "SUSPENDED" }), day.alliances(),
  day.announcements(), day.claims(filters), day.upcoming()].map(all));
const one = [await day.alliance(lists[1][0].key), await day.announcement(lists[2][0].key),
  await day.figure(lists[3][0].figure), await day.exportControl(lists[0][0].key)];
const refused = await tracker.query("{ hea }").catch((error) => error);
const unknown = await day.select("alliances", "totalCount", { isuer: "CN" }).catch((error) => error.message);
console.log(JSON.stringify({
  lists: lists.map((list) => list.length),
  keys: new Set(lists[2].map((node) => node.key)).size,
  one: one.map((node) => typeof node),
  nothing: await day.exportControl("no-such-act"),
  refused: [refused instanceof TrackerError, refused.code],
  unknown: unknown.split(":")[0],
  rows: (await day.table("claims", filters)).rows.length,
  receipt: (await day.receiptAddress("/controls")).split("?")[0].endsWith("/controls.receipt"),
}));
"""


@pytest.fixture
def workplace(sources: Path, tmp_path: Path) -> Path:
    """Return a directory with the client among its packages, and with its examples."""
    package = tmp_path / "node_modules" / "critical-minerals-policy-tracker-client"
    shutil.copytree(sources / "javascript", package)
    shutil.copytree(package / "examples", tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.asyncio(loop_scope="session")
async def test_every_method_answers_as_of_one_position(
    read_services: Services, workplace: Path
) -> None:
    (workplace / "check.mjs").write_text(CHECK)
    async with serving(read_services, Access()) as (address, *_):
        result = await read_json(workplace, "check.mjs", f"http://{address}")
    assert min(result["lists"]) > 0
    assert result["keys"] == result["lists"][2] > 200  # several pages
    assert result["one"] == ["object"] * 4
    assert result["nothing"] is None
    assert result["refused"] == [True, "GRAPHQL_VALIDATION_FAILED"]
    assert result["unknown"] == "alliances has no argument isuer"
    assert result["rows"] > 10
    assert result["receipt"]


async def read_json(directory: Path, *arguments: str) -> Any:
    """Return the JSON that a program prints."""
    return json.loads(await node(directory, *arguments))


async def test_events_come_once_and_in_order_across_an_interruption(
    services: Services, workplace: Path
) -> None:
    await record(services, 1, 3)
    port, store = free_port(), workplace / "token.txt"
    url = f"http://127.0.0.1:{port}"

    def position() -> str:
        return store.read_text().partition("-")[0] if store.exists() else ""

    async with serving(services, Access(), port=port):
        program = await asyncio.create_subprocess_exec(
            *("node", "follow.mjs", url, store), cwd=workplace, stdout=asyncio.subprocess.PIPE
        )
        await until(lambda: position() == "3")
    await record(services, 4, 6)
    async with serving(services, Access(), port=port):
        await until(lambda: position() == "6")
    program.kill()
    printed, _ = await program.communicate()
    assert [line.split()[0] for line in printed.decode().splitlines()] == [*"123456"]
