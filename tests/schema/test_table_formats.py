"""Values that table formats cannot represent directly."""

import io
from collections.abc import AsyncGenerator
from typing import Any

from schema.tables.formats import FORMATS, Header
from schema.tables.rows import TableMoment
from schema.tables.table import table
from tests.support.libraries import openpyxl


async def test_a_text_that_is_too_long_for_a_cell_of_a_workbook_shows_that_it_was_cut() -> None:
    shown = table("commodities")
    header = Header(shown, TableMoment("2026-01-01", "1", None, "0" * 64), "http://127.0.0.1/")
    names = [column.name for column in shown.shape.columns]

    texts = ["x" * 32_767, "x" * 32_768, "😀" * 16_383, "😀" * 16_384, "\x00\x1fy\x0c"]

    async def pages() -> AsyncGenerator[list[list[Any]], None]:
        for text in texts:
            yield [[text if name == "name" else None for name in names]]

    chunks = [chunk async for chunk in FORMATS["xlsx"].write(header, pages(), titled=True)]
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(chunks)))["commodities"]
    _, *cells = [row[names.index("name")] for row in sheet.values]
    assert cells == [texts[0], "x" * 32_766 + "…", texts[2], "😀" * 16_383 + "…", "y"]
