"""`tracker texts import`: records versions of texts once, and names the file of each problem."""

from pathlib import Path
from tempfile import mkdtemp

from tests.support.act_texts import ABOUT, write_folder
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.processes import command
from tracker.texts.folder import read_version


def test_an_import_is_listed_tried_recorded_once_and_needs_a_correction_for_other_bytes(
    tmp_path: Path, data_dir: Path
) -> None:
    folder = write_folder(tmp_path / "texts")
    tried = command("texts", "import", str(folder), "--dry-run", data_dir=data_dir)
    assert tried.returncode == 0, tried.stderr
    assert "text/eu-2021-1: adopted text in 'en' that governs from 2021-09-09" in tried.stdout
    for line in (
        "3 versions recorded, 0 recorded before",
        "0 versions recorded, 3 recorded before",
    ):
        done = command("texts", "import", str(folder), data_dir=data_dir)
        assert (done.returncode, done.stdout.strip()) == (0, line), done.stderr
    (folder / "eu-2021-1" / "2023-01-01.md").write_text("#### Article 1\n\nOther.\n")
    refused = command("texts", "import", str(folder), data_dir=data_dir)
    assert refused.returncode == 1
    assert "2023-01-01.md: text/eu-2021-1 has a version of 2023-01-01" in refused.stderr


@each_case(
    ("name", "content", "problem"),
    [
        ("2024.md", "x", "2024.md: expected a file such as 2021-09-09.md"),
        ("2024-01-01.md", b"\xff", "2024-01-01.md: expected text in UTF-8"),
        ("act.toml", ABOUT.replace('"EU"', '"QQ"'), "issuer"),
        ("act.toml", ABOUT.replace("licence", "license"), "license"),
        ("act.toml", "act = ", "2021-09-09.md"),
    ],
)
def test_a_problem_names_its_file_and_nothing_is_recorded(
    tmp_path: Path, name: str, content: str | bytes, problem: str
) -> None:
    folder = write_folder(Path(mkdtemp(dir=tmp_path)))
    file = folder / "eu-2021-1" / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused = command("texts", "import", str(folder), "--dry-run", data_dir=tmp_path)
    assert refused.returncode in {1, 2}
    assert problem in " ".join(refused.stderr.split()), refused.stderr


def test_the_file_of_the_page_describes_a_version(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "texts.md").read_text("utf-8")
    act = tmp_path / "eu-2021-821"
    act.mkdir()
    (act / "act.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    (act / "2021-09-09.md").write_text("#### Article 1\n\nWords.\n")
    of = read_version(act / "2021-09-09.md").fact
    assert (of.kind, of.document, str(of.adopted_on)) == ("adopted", "32021R0821", "2021-05-20")
