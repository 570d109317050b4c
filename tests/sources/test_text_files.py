"""Files as received: any byte order mark, encoding and line end; broken ones are refused completely."""

import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import announced
from tests.support.importer import CLAIM, ImportFixture, counts, line, refusals
from tracker.errors import InvalidInput, TooLarge
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File, RefusedItem, SourceLocation
from tracker.sources.readers import corpus_format, usgs
from tracker.sources.text_files import (
    CHUNK_BYTES,
    MAX_ROW_BYTES,
    delimiter,
    encoding,
    encoding_named,
    head_rows,
    lines,
    rows,
)


def file(tmp_path: Path, content: bytes) -> File:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    return File.at(path)


@pytest.mark.parametrize(
    "content",
    [b"a\nb\nc", b"a\r\nb\r\nc\r\n", b"a\rb\rc\r", b"a\nb\r\nc\r", b"\xef\xbb\xbfa\nb\nc\n"],
)
def test_lines_end_as_they_like(tmp_path: Path, content: bytes) -> None:
    found = [(of.number, of.content) for of in lines(file(tmp_path, content))]
    assert found == [(1, b"a"), (2, b"b"), (3, b"c")]


def test_lines_keep_their_numbers_over_empty_ones_and_long_ones(tmp_path: Path) -> None:
    long = b"x" * (MAX_ROW_BYTES + CHUNK_BYTES + 5)
    found = list(lines(file(tmp_path, b"a\n\n" + long + b"\nb\n" + long)))
    assert [(of.number, len(of.content), of.whole) for of in found] == [
        (1, 1, True),
        (2, 0, True),
        (3, MAX_ROW_BYTES + 1, False),
        (4, 1, True),
        (5, MAX_ROW_BYTES + 1, False),
    ]


def test_an_empty_file_has_no_lines_and_no_rows(tmp_path: Path) -> None:
    assert list(lines(file(tmp_path, b""))) == []
    assert list(rows(file(tmp_path, b""))) == []
    assert (delimiter(b""), head_rows(b"", 2)) == (",", [])


@pytest.mark.parametrize(
    ("content", "named", "publishers", "name"),
    [
        ("Türkiye".encode(), None, None, "utf-8"),
        ("Türkiye".encode("cp1252"), None, "cp1252", "cp1252"),
        ("Türkiye".encode(), None, "cp1252", "utf-8"),
        ("镓出口".encode("gbk"), "gbk", None, "gbk"),
        ("镓出口".encode("gbk"), "gbk", "cp1252", "gbk"),
        ("Česko".encode("cp1250"), "cp1250", None, "cp1250"),
        (b"plain", "gbk", None, "gbk"),
        ("a,é".encode("utf-16"), None, None, "utf-16"),
        ("a,é".encode("utf-32"), None, None, "utf-32"),
        ("a,é".encode("utf-16-le"), "utf-16-le", None, "utf-16-le"),
        (b"\xef\xbb\xbfa", None, None, "utf-8"),
        (("é" * 9999 + "\n").encode() * 100, None, None, "utf-8"),
    ],
)
def test_the_encoding_is_utf_8_or_said(
    tmp_path: Path, content: bytes, named: str | None, publishers: str | None, name: str
) -> None:
    of = replace(file(tmp_path, content), encoding=named)
    assert encoding(of, publishers) == name
    [line] = list(lines(of, publishers))[:1]
    expected = content.decode("utf-8-sig" if name == "utf-8" else name)
    assert line.content.decode() == expected[: len(line.content.decode())]


@pytest.mark.parametrize("code", ["gbk", "gb18030", "big5", "shift_jis", "cp1250", "cp1252"])
def test_an_encoding_is_never_guessed(tmp_path: Path, code: str) -> None:
    content = {"cp1250": "Česko, Łódź", "cp1252": "Türkiye"}.get(code, "日本").encode(code)
    with pytest.raises(InvalidInput, match="--encoding gb18030") as caught:
        encoding(file(tmp_path, b"a,b\n" + content))
    assert (caught.value.code, caught.value.path) == ("ENCODING_REQUIRED", ("encoding",))


@pytest.mark.parametrize(
    ("content", "named", "message"),
    [
        ("Türkiye".encode(), "cp1252", "it is UTF-8: leave out --encoding cp1252"),
        ("\ufeffa".encode(), "gbk", "begins with the mark of utf-8"),
        ("é".encode("cp1252"), "ascii", "expected text in ascii"),
        (b"a\xff", "utf-8", "expected text in utf-8"),
        (b"\xff\xfea", None, "expected text in utf-16"),
    ],
)
def test_a_file_that_is_not_what_is_said_is_refused(
    tmp_path: Path, content: bytes, named: str | None, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        encoding(replace(file(tmp_path, content), encoding=named))


@each_case(
    ("name", "found"),
    [("GBK", "gbk"), ("latin1", "iso8859-1"), ("UTF8", "utf-8"), ("windows-1252", "cp1252")],
)
def test_an_encoding_is_named_as_one_likes(name: str, found: str) -> None:
    assert encoding_named(name) == found


@each_case(
    "name",
    ["gb18303", "base64", "rot13", "hex", "punycode", "unicode_escape", "", "a\0b", "x" * 500, "é"],
)
def test_a_value_that_is_not_an_encoding_is_refused_with_others_that_are_like_it(name: str) -> None:
    with pytest.raises(InvalidInput, match="expected one such as") as caught:
        encoding_named(name)
    assert caught.value.code == "UNKNOWN_ENCODING"
    if name == "gb18303":
        assert "gb18030" in caught.value.message


def test_one_row_of_endless_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="rows of at most 1,000,000 bytes"):
        list(rows(file(tmp_path, b'a,b\n"' + b'x\n","' * 400_000)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\0b", "got NUL bytes"),
        (b'a,b\n"never closed,1\n2,3\n', "line 3: expected CSV: unexpected end of data"),
        (b'a,b\n"x"y,1\n', "line 2: expected CSV"),
        (b"a,b\n" + b"x" * 200_000 + b"\n", "field larger than field limit"),
        (b"a,b\n" + b"x," * MAX_ROW_BYTES + b"\n", "line 2: expected lines and rows of at most"),
        (b"a,b\n" + b"x," * 1000 + b"\n", "line 2: expected at most 1,000 columns"),
    ],
)
def test_a_broken_table_is_refused_as_a_whole(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        list(rows(file(tmp_path, content)))
    assert caught.value.code == "UNREADABLE_FILE"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_fields_are_divided_as_in_the_first_line(tmp_path: Path, mark: str) -> None:
    content = f'a{mark}b\n"x\ny"{mark}2\n{mark}\n'.encode()
    assert [(row.line, list(row.fields)) for row in rows(file(tmp_path, content))] == [
        (1, ["a", "b"]),
        (3, ["x\ny", "2"]),
    ]


def test_a_line_of_100_mb_is_one_refusal_and_never_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    with path.open("wb") as content:
        content.write(CLAIM)
        for _ in range(100):
            content.write(b" " * 1_000_000)
        content.write(b"\n" + line())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    items = list(corpus_format.READER.read(File.at(path)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    assert [item.at.line for item in items] == [1, 2, 3]
    assert items[1] == RefusedItem(
        SourceLocation(2), "expected at most 1,000,000 bytes in a line", code="TOO_LARGE"
    )


async def test_facts_in_another_encoding_leave_nothing_until_it_is_named(
    importer: ImportFixture, tmp_path: Path
) -> None:
    content = line("a", announced(title="镓出口管制"))
    path = tmp_path / "facts.jsonl"
    path.write_bytes(content.decode().encode("gbk"))
    with pytest.raises(InvalidInput, match="expected text in UTF-8"):
        await import_file(importer.target, corpus_format.READER, File.at(path))
    assert await importer.recorder.head() == 0
    outcome = await import_file(importer.target, corpus_format.READER, File.at(path, "gbk"))
    assert (outcome.receipt.encoding, outcome.receipt.sha256) == ("gbk", File.at(path).sha256())
    assert (await importer.facts())["a"].title == "镓出口管制"  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", ["utf-16", "utf-32", "utf-8-sig"])
async def test_a_mark_says_the_encoding(importer: ImportFixture, code: str) -> None:
    outcome = await importer.take((line() + CLAIM).decode().encode(code))
    assert (counts(outcome), refusals(outcome)) == ({"new": 2}, [])
    assert outcome.receipt.encoding == code.removesuffix("-sig")


async def test_a_mark_and_mixed_line_ends_do_not_matter(importer: ImportFixture) -> None:
    outcome = await importer.take(b"\xef\xbb\xbf", line().strip(), b"\r\n\r", CLAIM.strip(), b"\r")
    assert (counts(outcome), refusals(outcome)) == ({"new": 2}, [])


async def test_a_truncated_file_of_facts_leaves_nothing(importer: ImportFixture) -> None:
    outcome = await importer.take(line(), CLAIM[:-30])
    assert (outcome.refused, refusals(outcome)) == (
        True,
        [(2, None, "expected JSON: Input data was truncated")],
    )
    assert await importer.recorder.head() == 0


def test_a_format_that_is_held_whole_has_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usgs.layouts, "MAX_FILE_BYTES", 10)
    wide = file(tmp_path, b"Source,Country,Type,Prod_t_2022\nMCS2024,China,,1\n")
    with pytest.raises(TooLarge, match="expected at most 10 bytes"):
        list(usgs.READER.read(wide))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="expected a file"):
        File.at(tmp_path / "none.csv")


def test_only_files_are_read(tmp_path: Path) -> None:
    real = file(tmp_path, b"a").path
    (tmp_path / "link").symlink_to(real)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(InvalidInput) as caught:
            File.at(path)
        assert caught.value.code == "NO_SUCH_FILE"


def test_a_file_over_the_limit_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as content:
        content.truncate(2_000_000_001)
    with pytest.raises(TooLarge, match="2,000,000,000"):
        File.at(path)
