"""Files as they come: any mark, encoding and line end; broken ones are refused as a whole."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.desk import CLAIM, Desk, counts, line, said
from tracker.errors import InvalidInput, TooLarge
from tracker.sources import corpus, facts, usgs
from tracker.sources.contract import At, File, Refused
from tracker.sources.text import CHUNK, MOST_BYTES, delimiter, encoding, head_rows, lines, rows


def file(tmp_path: Path, content: bytes) -> File:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    return File.at(path)


@pytest.mark.parametrize("content", [
    b"a\nb\nc", b"a\r\nb\r\nc\r\n", b"a\rb\rc\r", b"a\nb\r\nc\r", b"\xef\xbb\xbfa\nb\nc\n"])
def test_lines_end_as_they_like(tmp_path: Path, content: bytes) -> None:
    found = [(of.number, of.content) for of in lines(file(tmp_path, content))]
    assert found == [(1, b"a"), (2, b"b"), (3, b"c")]


def test_lines_keep_their_numbers_over_empty_ones_and_long_ones(tmp_path: Path) -> None:
    long = b"x" * (MOST_BYTES + CHUNK + 5)
    found = list(lines(file(tmp_path, b"a\n\n" + long + b"\nb\n" + long)))
    assert [(of.number, len(of.content), of.whole) for of in found] == [
        (1, 1, True), (2, 0, True), (3, MOST_BYTES + 1, False), (4, 1, True),
        (5, MOST_BYTES + 1, False)]


def test_an_empty_file_has_no_lines_and_no_rows(tmp_path: Path) -> None:
    assert list(lines(file(tmp_path, b""))) == []
    assert list(rows(file(tmp_path, b""))) == []
    assert (delimiter(b""), head_rows(b"", 2)) == (",", [])


@pytest.mark.parametrize(("content", "name"), [
    ("Türkiye".encode(), "utf-8"), ("Türkiye".encode("cp1252"), "cp1252"),
    (b"\xef\xbb\xbfa", "utf-8"), ("é".encode() * CHUNK, "utf-8")])
def test_the_encoding_is_told_by_the_whole_content(
    tmp_path: Path, content: bytes, name: str
) -> None:
    assert encoding(file(tmp_path, content)) == name


@pytest.mark.parametrize(("content", "message"), [
    ("a,b".encode("utf-16"), "expected UTF-8, got UTF-16"),
    ("a,b".encode("utf-32"), "expected UTF-8, got UTF-32"),
    (b"a\0b", "got NUL bytes"),
    (b"\x81\x8d\xff", "expected text in UTF-8 or cp1252"),
    (b'a,b\n"never closed,1\n2,3\n', "line 3: expected CSV: unexpected end of data"),
    (b'a,b\n"x"y,1\n', "line 2: expected CSV"),
    (b"a,b\n" + b"x" * 200_000 + b"\n", "field larger than field limit"),
    (b"a,b\n" + b"x," * MOST_BYTES + b"\n", "line 2: expected lines of at most 1,000,000 bytes"),
])
def test_a_broken_table_is_refused_as_a_whole(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        list(rows(file(tmp_path, content)))
    assert caught.value.code == "UNREADABLE_FILE"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_fields_are_divided_as_in_the_first_line(tmp_path: Path, mark: str) -> None:
    content = f'a{mark}b\n"x\ny"{mark}2\n{mark}\n'.encode()
    assert [(row.line, list(row.fields)) for row in rows(file(tmp_path, content))] == [
        (1, ["a", "b"]), (3, ["x\ny", "2"])]


def test_a_line_of_100_mb_is_one_refusal_and_never_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    with path.open("wb") as content:
        content.write(CLAIM)
        for _ in range(100):
            content.write(b" " * 1_000_000)
        content.write(b"\n" + line())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    items = list(corpus.READER.read(File.at(path)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    assert [item.at.line for item in items] == [1, 2, 3]
    assert items[1] == Refused(At(2), "expected at most 1,000,000 bytes in a line")


@pytest.mark.parametrize("content", [b"\xff\xfe{\0", b"\xfe\xff\0{"])
async def test_facts_in_another_encoding_leave_nothing(desk: Desk, content: bytes) -> None:
    with pytest.raises(InvalidInput, match="expected UTF-8, got UTF-16"):
        await desk.take(content)
    assert await desk.recorder.head() == 0


async def test_a_mark_and_mixed_line_ends_do_not_matter(desk: Desk) -> None:
    outcome = await desk.take(b"\xef\xbb\xbf", line().strip(), b"\r\n\r", CLAIM.strip(), b"\r")
    assert (counts(outcome), said(outcome)) == ({"new": 2}, [])


async def test_a_truncated_file_of_facts_leaves_nothing(desk: Desk) -> None:
    outcome = await desk.take(line(), CLAIM[:-30])
    assert (outcome.refused, said(outcome)) == (
        True, [(2, None, "expected JSON: Input data was truncated")])
    assert await desk.recorder.head() == 0


@pytest.mark.parametrize("reader", [facts.READER, usgs.READER])
def test_formats_that_are_held_whole_have_a_limit(
    tmp_path: Path, reader: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "MOST_BYTES", 10)
    monkeypatch.setattr(usgs.layouts, "MOST_BYTES", 10)
    wide = file(tmp_path, b"Source,Country,Type,Prod_t_2022\nMCS2024,China,,1\n")
    with pytest.raises(TooLarge, match="expected at most 10 bytes"):
        list(reader.read(wide))  # type: ignore[attr-defined]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="expected a file"):
        File.at(tmp_path / "none.csv")
