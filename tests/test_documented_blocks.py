"""Self-contained documentation blocks work as described: settings, user files, responses, short
programs."""

import json
import logging
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from deploy.config import settings
from deploy.config.environment import add_settings_file
from deploy.output.log_format import JsonFormatter
from schema.services import Services
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.documents import block, blocks
from tests.support.fact_builders import announced
from tracker.audit.format.signed_note import COSIGNATURE, Verifier
from tracker.audit.sign.witness import Policy
from tracker.corpus.checks import find_problems
from tracker.corpus.files import Act, read_acts
from tracker.postgres.database import Target
from tracker.sources.column_mapping import load_mapping

# --- settings


def assignments(page: str, part: str) -> dict[str, str]:
    """Return the variables that a shell block sets, with optional quotes."""
    text = block(page, "sh", part)
    found = re.findall(r"^(?:export )?(TRACKER_\w+)='?([^'\n]*)'?", text, re.MULTILINE)
    assert len(found) == text.count("TRACKER_")
    return dict(found)


@each_case(
    ("page", "part"),
    [
        ("docs/access.md", "TRACKER_OIDC_ISSUER"),
        ("docs/database.md", "db1,db2:5433,db3"),
        ("docs/database.md", "TRACKER_DIRECT_URL"),
        ("docs/operating/scale.md", "TRACKER_READ_DATABASE_URL"),
    ],
)
def test_settings_are_ones(page: str, part: str) -> None:
    settings.check(assignments(page, part))


def test_the_file_of_settings_is_one(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    text = block("docs/operating/configure.md", "toml", "# /etc/tracker/settings.toml")
    file.write_text(text, encoding="utf-8")
    environment = {"TRACKER_SETTINGS": str(file)}
    add_settings_file(environment)
    settings.check(environment)
    assert environment["TRACKER_RATE"] == "20"
    assert environment["TRACKER_HOSTS"] == "minerals.example.org"


# --- files


def acts(directory: Path, *parts: str) -> list[Act]:
    """Return the acts of a corpus file with these texts. Raises AssertionError for invalid ones."""
    path = directory / "policy" / "export-control" / "cn-mofcom-2025-18.toml"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(parts), encoding="utf-8")
    found = list(read_acts(path, directory))
    assert all(isinstance(each, Act) for each in found), found
    return [each for each in found if isinstance(each, Act)]


ANNOUNCED = """
[[act]]
id = "cn-mofcom-2025-18"
type = "ExportControl.Announced"
on = 2023-07-03
issuer = "CN"
direction = "export"
title = "Licence for gallium"
source = { publisher = "mofcom", name = "A", publishedOn = 2023-07-03, checked = "page", reference = "18" }
"""
CLAUSES = """
[[act.clauses]]
id = "2"
measure = "ban"
commodities = ["gallium"]
inForceFrom = 2024-12-03

[[act.clauses]]
id = "2-graphite"
measure = "ban"
commodities = ["graphite"]
inForceFrom = 2024-12-03
"""


def test_the_act_and_the_clause_of_the_page_are_of_the_corpus(tmp_path: Path) -> None:
    act = block("docs/data.md", "toml", '"ExportControl.Suspended"')
    clause = block("docs/data.md", "toml", "[[act.clauses]]")
    found = acts(tmp_path, ANNOUNCED, CLAUSES, clause, act)
    assert [each.id for each in found] == ["cn-mofcom-2025-18", "cn-mofcom-2025-72"]
    assert find_problems(found) == []


def test_the_policy_of_witnesses_is_one() -> None:
    text = block("docs/audit.md", "", "witness north")
    for key in re.findall(r"\S+\+\w+…", text):
        text = text.replace(key, str(Verifier(key.partition("+")[0], bytes(32), COSIGNATURE)))
    policy = Policy.parse(text)
    assert [witness.name for witness in policy.witnesses] == ["north", "south", "east"]
    keys = [witness.key for witness in policy.witnesses]
    assert policy.satisfied(keys[:2])
    assert not policy.satisfied(keys[2:])


def test_the_mapping_of_columns_is_one(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(block("docs/sources.md", "toml", "[columns]"), encoding="utf-8")
    mapping = load_mapping(file)
    assert mapping.columns == {"title": "Titel", "jurisdiction": "Land"}
    assert mapping.statuses["teilweise in kraft"] == "in_force"
    assert mapping.measures["ausfuhrverbot"] == "ban"


# --- programs


async def test_a_program_imports_a_file(target: Target, tmp_path: Path) -> None:
    path = tmp_path / "mcs2023-galli_world.csv"
    rows = "Source,Country,Type,Prod_t_2021,Prod_t_est_2022\nMCS2023,China,Primary production,1,2\n"
    path.write_text(rows, encoding="utf-8")
    text = block("docs/sources.md", "python", "import_file")
    lines = text.strip().splitlines()
    lines[-1] = f"return {lines[-1]}"
    names: dict[str, Any] = {"target": target, "path": path}
    exec("async def program():\n" + textwrap.indent("\n".join(lines), "    "), names)
    counts, differences = await names["program"]()
    assert counts.new == 2
    assert differences


MODULE = re.compile(r"python -m (t(?:est|ool)s\.[\w.]+)([^\n#]*)")
MEASURING = [
    (found.page, module, options)
    for page in ("docs/benchmarks.md", "docs/faults.md", "docs/testing.md")
    for found in blocks(page, "sh")
    for module, options in MODULE.findall(found.text)
]


def code_of(module: str) -> str:
    """Return the text of a module, or of all modules of a package."""
    place = ROOT / module.replace(".", "/")
    files = [*place.glob("*.py")] or [place.with_suffix(".py")]
    return "".join(file.read_text(encoding="utf-8") for file in files)


@each_case(("page", "module", "options"), MEASURING)
def test_programs_that_run_for_minutes_are_there_with_their_options(
    page: str, module: str, options: str
) -> None:
    code = code_of(module)
    code += "".join(
        map(code_of, set(re.findall(r"^from (t(?:est|ool)s\.[\w.]+) import", code, re.MULTILINE)))
    )
    words = re.findall(r"--[a-z-]+", options)
    if module in ("tests.faults", "tools.cluster"):
        words += options.partition("--")[0].split()  # kinds of faults
    assert [word for word in words if f'"{word}"' not in code] == [], page


PACKAGES = "deploy|projections|schema|tests|tools|tracker"
NAMED_PATH = re.compile(rf"`((?:{PACKAGES}|docs|\.ci)/[\w./-]+)")
NAMED_MODULE = re.compile(rf"(?:`|python -m )((?:{PACKAGES})(?:\.\w+)+)")


@each_case("page", ["CONTRIBUTING.md", "docs/testing.md", "docs/benchmarks.md"])
def test_pages_for_contributors_name_only_files_and_modules_that_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    modules = [module.replace(".", "/") for module in NAMED_MODULE.findall(text)]
    named = {*NAMED_PATH.findall(text), *modules}
    assert len(named) > 3
    assert not [
        path
        for path in named
        if not (ROOT / path).exists() and not (ROOT / path).with_suffix(".py").exists()
    ]


async def test_the_moments_of_an_answer_are_reported_as_the_page_shows(services: Services) -> None:
    shown = json.loads(block("docs/api.md", "json", "moments").replace("{…}", "null"))
    moments = shown["extensions"]["moments"]
    for number in range(3):
        done = await services.commands.record(f"export-control/{number}", announced())
    await services.projector.reach(done.positions[-1])
    recorded = json.loads(json.dumps(moments).replace('"6340"', '"3"'))
    document = """{
      before: asOf(validAt: "2023-06-01") { position }
      changes(from: {validAt: "2025-10-01"}, to: {validAt: "2025-11-20"}) { totalCount }
    }"""
    assert (await Api(services).post(document))["extensions"]["moments"] == recorded


async def test_readiness_and_lines_of_requests_have_the_fields_of_the_page(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    api, page = Api(services), "docs/operating/monitor.md"
    ready = (await api.request("GET", "/readyz")).json()
    assert ready.keys() == json.loads(block(page, "json", '"ready"')).keys()
    with caplog.at_level(logging.INFO, "tracker.requests"):
        await api.post("query Head { head }")
    [record] = [each for each in caplog.records if each.name == "tracker.requests"]
    line = json.loads(JsonFormatter().format(record))
    shown = json.loads(block(page, "json", '"tracker.requests"'))
    assert shown.keys() - line.keys() <= {"actor", "position"}
    assert line.keys() <= shown.keys()


def test_the_tree_of_the_page_is_that_of_the_code() -> None:
    text = block("docs/architecture.md", "", "deploy/  ")
    directory, places = ROOT, []
    for indent, name in re.findall(r"^( {2})?([a-z_]+(?:/|\.py)) ", text, re.MULTILINE):
        directory = directory if indent else ROOT / name
        places.append(directory / name if indent else directory)
    assert len(places) > 40
    assert [place for place in places if not place.exists()] == []
