"""Files of texts, and the commands that read them."""

import json
from pathlib import Path

import pytest
from lxml import html

from tests.support.cases import each_case
from tests.support.documents import block
from tests.support.processes import run
from tracker.errors import InvalidInput
from tracker.texts.formats import MAX_TEXT_BYTES, read_text
from tracker.texts.redline import compare_texts
from tracker.texts.units import split_into_units

GAZETTE = b"""<html><head><title>L 130/1</title><style>p {}</style></head><body>
<p class="ti-art">Article 1</p><p>1.&#160;&#160;Importers of <i>tin</i> shall:</p>
<table><tr><td><p>(a)</p></td><td><p>report;</p></td></tr><tr><td>(b)</td><td>keep records.</td></tr></table>
<!-- a comment --><p>ANNEX</p>
<table><tr><th>Ore</th><th>code</th></tr><tr><td>Tin</td><td>2609</td></tr></table>
</body></html>"""
REGISTER = b"""<?xml version="1.0"?><PRESDOCU><EXECORD><TITLE3>Order</TITLE3>
<FP><E T="04">Section 1</E>. <E T="03">Purpose</E>. We act.</FP><PRTPAGE P="7"/>
<FP><E T="04">Sec. 2</E>. <E T="03">Duties</E>. (a) The Secretary shall:</FP>
<P>(1) report;</P><P>(b) nothing.</P>
</EXECORD></PRESDOCU>"""


@each_case(
    ("name", "content", "units"),
    [
        ("l130.html", GAZETTE, "beginning art-1 art-1/1 art-1/1/a art-1/1/b annex"),
        ("2026-1.XML", REGISTER, "beginning sec-1 sec-2 sec-2/a/1 sec-2/b"),
    ],
)
def test_units_of_a_gazette_are_those_of_its_lines(name: str, content: bytes, units: str) -> None:
    text = read_text(name, content)
    found = {unit.id: unit.text for unit in split_into_units(text)}
    assert [*found] == [each for each in units.split() if each in found]
    assert [each for each in units.split() if each != "beginning"] == [
        each for each in found if each != "beginning"
    ]
    assert "comment" not in text
    assert "{}" not in text


def test_a_row_of_a_table_is_a_line() -> None:
    assert read_text("a.html", GAZETTE).splitlines()[1:] == [
        "1. Importers of tin shall:",
        "(a) | report;",
        "(b) | keep records.",
        "ANNEX",
        "Ore | code",
        "Tin | 2609",
    ]


def test_html_and_markdown_of_one_text_have_the_same_words() -> None:
    markdown = """#### Article 1

1. Importers of *tin* shall:

- (a) report;

- (b) keep records.

## ANNEX

| Ore | code |
| --- | --- |
| Tin | 2609 |
"""
    assert compare_texts(read_text("a.html", GAZETTE), markdown).changes() == []


@each_case(
    ("name", "content", "code"),
    [
        ("a.pdf", b"%PDF", "UNKNOWN_FORMAT"),
        ("a.txt", b"\xff\xfe\x00", "NOT_UTF_8"),
        ("a.xml", b"<a>", "NOT_READABLE"),
        ("a.html", b"", "NOT_READABLE"),
        ("a.md", b" " * (MAX_TEXT_BYTES + 1), "TEXT_TOO_LARGE"),
    ],
)
def test_a_file_without_readable_text_is_refused_by_name(
    name: str, content: bytes, code: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_text(name, content)
    assert raised.value.code == code
    assert raised.value.message.startswith(f"{name}: expected")


def test_an_xml_file_reads_no_other_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    document = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]><a>b &e; c</a>'
    assert "secret" not in read_text("a.xml", document.encode())


OLD = "Article 1\n\nTin shall be reported each year.\n\nArticle 2\n\n‘Zinc’ is free.\n"
NEW = "<p>Article 1</p><p>Tin shall be reported every two years.</p><p>Article 2</p><p>'Zinc' is free.</p>"


def test_the_commands_of_the_page_list_units_and_show_a_redline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("act.md", OLD), ("act-2022.md", OLD), ("act-2025.html", NEW)):
        Path(name).write_text(text)
    units, compare = (
        line.split()[1:] for line in block("docs/texts.md", "sh", "compare").splitlines()
    )
    assert run(*units).stdout.splitlines() == [
        "art-1: Article 1 Tin shall be reported each year.",
        "art-2: Article 2 ‘Zinc’ is free.",
    ]
    assert run(*compare).stdout.splitlines() == [
        "1 unit replaced",
        "",
        "art-1 (replaced)",
        "Article 1",
        "Tin shall be reported [-each year-]{+every two years+}.",
    ]
    [change] = run(*compare, "--json").stdout.splitlines()
    assert json.loads(change)["id"] == "art-1"
    assert run(*compare, "--html", "redline.html").stdout == ""
    page = html.document_fromstring(Path("redline.html").read_text())
    assert [each.text for each in page.iter("del", "ins")] == ["each year", "every two years"]
    assert [each.text_content() for each in page.iter("td")] == [
        OLD.partition("Article 2")[0],
        "Article 1\nTin shall be reported every two years.\n",
    ]
    assert run("texts", "compare", "act.md", "act.md").stdout == "No word differs.\n"
    refused = run("texts", "units", "none.md")
    assert (refused.returncode, "does not exist" in refused.stderr) == (2, True)
