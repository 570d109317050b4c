"""Import names of the code: conflicting packages are reported before an error."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy import start
from deploy.cli.import_names import strangers, strays, wrong_names
from deploy.cli.process import Exit
from tests.support.cases import each_case
from tests.support.checkout import FLOORS, ROOT
from tests.support.time_limits import within


@dataclass(frozen=True)
class Listed:
    """A distribution with a list of its files."""

    name: str
    files: str | None

    def read_text(self, filename: str) -> str | None:
        return self.files if filename == "RECORD" else None


def test_the_names_of_this_environment_are_ours() -> None:
    assert wrong_names() == ""


@each_case("files", ["schema/__init__.py,sha256=x,1\n", "a.py,,\nschema.py,sha256=x,1\n"])
def test_a_distribution_that_brings_one_of_our_names_is_named(files: str) -> None:
    [told] = strangers([Listed("schema", files), Listed("schema", files)])
    assert "`schema`" in told
    assert "the distribution schema" in told


@each_case(
    "files",
    [
        "jsonschema/__init__.py,sha256=x,1\n",
        "strawberry/schema/__init__.py,sha256=x,1\n",
        "strawberry/schema.py,sha256=x,1\n",
        "schema_tools/__init__.py,sha256=x,1\n",
        "schema/__init__.pyi,sha256=x,1\n",
        "",
        None,
    ],
)
def test_a_distribution_with_other_names_is_left_alone(files: str | None) -> None:
    assert list(strangers([Listed("other", files)])) == []


def test_our_own_distribution_is_not_a_stranger_however_its_name_is_written() -> None:
    files = "".join(f"{name}/__init__.py,sha256=x,1\n" for name in FLOORS)
    for name in ("critical-minerals-policy-tracker", "critical_minerals_policy_tracker"):
        assert list(strangers([Listed(name, files)])) == []


def test_a_name_that_leads_elsewhere_is_said_with_both_places(tmp_path: Path) -> None:
    places = {name: tmp_path / name / "__init__.py" for name in FLOORS}
    assert list(strays(tmp_path, places)) == []
    [elsewhere] = strays(tmp_path, {**places, "schema": Path("/there/schema.py")})
    assert "/there/schema.py" in elsewhere
    assert str(tmp_path) in elsewhere
    [nowhere] = strays(tmp_path, {**places, "deploy": None})
    assert "`deploy` leads nowhere" in nowhere


def run_beside(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with packages in another directory."""
    path = os.pathsep.join(map(str, [ROOT, directory]))
    return subprocess.run(
        [sys.executable, "-m", "tracker", "sources"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=within(60),
    )


def test_the_command_does_not_start_beside_another_distribution_of_its_names(
    tmp_path: Path,
) -> None:
    about = tmp_path / "schema-0.7.8.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: schema\nVersion: 0.7.8\n")
    (about / "RECORD").write_text("schema/__init__.py,,\n")
    result = run_beside(tmp_path)
    assert (result.returncode, result.stdout) == (Exit.USAGE, "")
    assert "the distribution schema" in result.stderr
    assert "needs its own environment" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_does_not_start_where_a_file_stands_before_its_code(tmp_path: Path) -> None:
    (tmp_path / "schema.py").write_text("")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import deploy.start as m; m.main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (Exit.USAGE, "")
    assert f"`schema` leads to {tmp_path / 'schema.py'}" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_exit_code_is_that_of_wrong_usage() -> None:
    assert start.WRONG_USAGE == Exit.USAGE
