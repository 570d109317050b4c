"""`tracker corpus`: problems are lines, nothing is written while there is one."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from tests.corpus.test_files import CONTROL, GALLIUM, MADE
from tests.support.corpus_lines import shipped_lines
from tests.support.documents import block
from tests.support.processes import command
from tracker.corpus.compiling import CORPUS, is_reading
from tracker.corpus.release import ORIGIN
from tracker.sources.readers.corpus_format import parse_line

COPIED = """
url = "https://github.com/a/b/blob/0123456789012345678901234567890123456789/notice.md"
checked = "page"
copyOf = "https://www.mofcom.gov.cn/notice"
copySha256 = "{digest}"
"""


def run(*arguments: str | Path) -> Result:
    """Return the result of a command of the group."""
    return CliRunner().invoke(app, ["corpus", *map(str, arguments)], env={"COLUMNS": "300"})


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Create a corpus of one instrument."""
    path = tmp_path / CONTROL
    path.parent.mkdir(parents=True)
    path.write_text(GALLIUM, "utf-8")
    (tmp_path / CORPUS).write_text("")
    return tmp_path


def test_the_files_of_this_checkout_have_no_problem() -> None:
    result = run("check")
    assert result.exit_code == 0, result.output
    assert "no problems" in result.output


def test_coverage_is_printed_as_tables(directory: Path) -> None:
    result = run("check", directory, "--coverage")
    assert result.exit_code == 0
    assert "| China | 1 | 2025: 1 |" in result.stdout


def test_a_problem_is_a_line_with_file_act_and_field(directory: Path) -> None:
    (directory / CONTROL).write_text(GALLIUM.replace('"CN"', '"ZZ"'), "utf-8")
    result = run("check", directory)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{CONTROL}: xx-1: issuer: 'ZZ' ")
    assert "1 problem" in result.output


def test_quotations_are_compared_with_copies_of_their_texts(
    directory: Path, tmp_path: Path
) -> None:
    [command_line] = block("docs/texts.md", "sh", "--texts").splitlines()
    options = [
        option.replace("copies", str(tmp_path / "copies")) for option in command_line.split()[3:]
    ]
    text = "# Notice\n\nThe export of  *gallium* needs a ‘licence’ [^1] from today.\n"
    (tmp_path / "copies" / "cn").mkdir(parents=True)
    (tmp_path / "copies" / "cn" / "any-name.md").write_text(text, "utf-8")
    digest = sha256(text.encode()).hexdigest()
    control, copy = directory / CONTROL, COPIED.format(digest=digest)

    def checked(quotation: str, source: str = copy) -> Result:
        act = GALLIUM.replace('issuer = "CN"', f'issuer = "CN"\nquotation = "{quotation}"')
        control.write_text(
            act.replace('= "2025-03"\n', f'= "2025-03"\n{source}').replace(
                '"mofcom"', '"public-repositories"'
            ),
            "utf-8",
        )
        return run("check", directory, *options)

    found = checked("export of gallium … 'licence' from today")
    assert found.exit_code == 0, found.output
    assert "1 of 1 copies are there; 1 of 1 quotations were compared with one" in found.output
    refused = checked("the import of gallium")
    assert refused.exit_code == 1
    assert refused.stdout.startswith(f"{CONTROL}: xx-1: quotation: expected words of the copy")
    missing = checked("the import of gallium", COPIED.format(digest="0" * 64))
    assert missing.exit_code == 0
    assert "0 of 1 copies are there; 0 of 1 quotations were compared with one" in missing.output


def test_rules_are_looked_at_when_all_acts_can_be_read(directory: Path) -> None:
    path = directory / "policy" / "announcement" / "cn" / "2025.toml"
    path.parent.mkdir(parents=True)
    path.write_text(MADE.replace("kind =", 'about = ["export-control/none"]\nkind ='), "utf-8")
    result = run("check", directory)
    assert (result.exit_code, result.stdout) == (
        1,
        "policy/announcement/cn/2025.toml: xx-said: about: export-control/none is not in the corpus\n",
    )


def test_the_corpus_is_written_with_its_figures_kept(directory: Path) -> None:
    reading = next(line for line in shipped_lines() if is_reading(parse_line(line)))
    (directory / CORPUS).write_bytes(reading)
    result = run("build", directory)
    assert result.exit_code == 0, result.output
    lines = (directory / CORPUS).read_bytes().splitlines()
    assert {parse_line(line).event_id for line in lines} == {"xx-1", parse_line(reading).event_id}
    assert "2 lines about 2 entities" in result.stdout


def test_nothing_is_written_while_there_is_a_problem(directory: Path) -> None:
    (directory / CORPUS).write_text("as it was")
    (directory / CONTROL).write_text(GALLIUM.replace('"CN"', '"ZZ"'), "utf-8")
    assert run("build", directory).exit_code == 1
    assert (directory / CORPUS).read_text() == "as it was"


def test_figures_are_read_anew_from_files_of_the_usgs(directory: Path, tmp_path: Path) -> None:
    files = tmp_path / "usgs"
    files.mkdir()
    assert run("build", directory, "--usgs", files).exit_code == 1
    (files / "mcs2024-galli_world.csv").write_text(
        "Source,Country,Type,Prod_kg_2022,Prod_kg_est_2023\nMCS2024,China,Primary production,1,2\n"
    )
    assert run("build", directory, "--usgs", files).exit_code == 0
    assert len((directory / CORPUS).read_bytes().splitlines()) == 3


def test_a_directory_that_is_not_a_corpus_is_named(tmp_path: Path) -> None:
    assert run("check", tmp_path / "none").exit_code == 2
    result = run("check", tmp_path)
    assert result.exit_code == 1
    assert "There are no files in" in result.output


def test_new_facts_are_released_once(directory: Path, tmp_path: Path) -> None:
    assert run("build", directory).exit_code == 0
    arguments = ("release", directory, "--day", "2026-12-01", "--keys", tmp_path / "keys")
    first = run(*arguments)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith(f"2 events appended\n{ORIGIN}\n2\n")  # with the receipt
    assert run(*arguments).stdout == "nothing is new: the shipped log has corpus.jsonl\n"
    done = CliRunner().invoke(
        app, ["verify", str(directory / "log"), "--key", str(directory / "log" / "key")]
    )
    assert done.exit_code == 0, done.output


def test_the_shipped_data_are_loaded_once(data_dir: Path) -> None:
    first, second = (command("corpus", "load", data_dir=data_dir) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout.endswith(" events recorded\n")
    assert second.stdout == "0 events recorded\n"
    told = command("query", "{ head }", data_dir=data_dir).stdout
    recorded = int(first.stdout.split()[-3].replace(",", ""))
    assert int(json.loads(told)["data"]["head"]) - recorded in (0, 1)  # the receipt of newer facts
