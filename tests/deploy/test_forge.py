"""Files read by a forge: their form, and their description of the project."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.support.checkout import ROOT
from tests.support.time_limits import within
from tools.releases.wheels import PYTHONS

FORGE = ROOT / ".github"
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yaml"))
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": sorted((FORGE / "ISSUE_TEMPLATE").glob("*.yml")),
    "vendor.dependabot": [FORGE / "dependabot.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


def read(path: Path) -> Any:
    """Return a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return all jobs of the workflows, by location."""
    for path in WORKFLOWS:
        for name, job in read(path)["jobs"].items():
            yield f"{path.name}:{name}", job


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_file_has_the_form_that_a_forge_wants(schema: str) -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    if not checker.exists():
        pytest.skip("check-jsonschema is not installed")
    files = SCHEMAS[schema]
    assert files
    result = subprocess.run(
        [checker, "--builtin-schema", schema, *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=within(60),
    )
    assert result.returncode == 0, result.stdout


def test_workflows_have_no_right_that_a_job_does_not_ask_for_and_run_what_was_looked_at() -> None:
    for path in WORKFLOWS:
        assert read(path)["permissions"] == {}
    for place, job in jobs():
        assert job["permissions"], place
        assert job["timeout-minutes"] <= 90, place
        for step in job["steps"]:
            assert "uses" not in step or PINNED.fullmatch(step["uses"]), (place, step)
            assert "${{" not in step.get("run", ""), (place, step)  # other names are not shell


def test_the_tests_run_on_every_python_that_is_promised() -> None:
    matrices = [job["strategy"]["matrix"] for _, job in jobs() if "strategy" in job]
    tried = [matrix["python"] for matrix in matrices if "python" in matrix]
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert len(tried) == 2  # as a checkout, and as installed
    for versions in tried:
        assert all(version in allowed for version in versions)
        assert versions[0] == PROJECT["requires-python"].removeprefix(">=")
        assert tuple(versions) == PYTHONS
    named = [each.rpartition(" :: ")[2] for each in PROJECT["classifiers"] if "Python ::" in each]
    assert tuple(named) == PYTHONS


def test_the_citation_is_of_this_version_and_its_licences() -> None:
    citation = read(ROOT / "CITATION.cff")
    assert citation["version"] == PROJECT["version"]
    assert citation["abstract"].strip() == PROJECT["description"]
    assert " AND ".join(citation["license"]) == "Apache-2.0 AND CC-BY-4.0" == PROJECT["license"]
