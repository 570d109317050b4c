"""A client that goes while a table is written: nothing of the file is left, and nothing breaks."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from schema.tables.formats import FORMATS, Header
from schema.tables.rows import TableMoment
from schema.tables.table import table
from tests.support.time_limits import within

ROWS = 5_000
"""Enough rows that the client disconnects during a page."""


@pytest.mark.parametrize("ending", ["parquet", "xlsx"])
async def test_a_client_that_goes_in_the_middle_leaves_nothing_behind(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shown = table("clauses")
    header = Header(shown, TableMoment("2026-01-01", "1", None, "0" * 64), "http://127.0.0.1/")
    written = asyncio.Event()

    async def pages() -> AsyncGenerator[list[list[Any]], None]:
        written.set()
        yield [[None] * len(shown.shape.columns)] * ROWS
        yield [[None] * len(shown.shape.columns)] * ROWS

    async def download() -> None:
        async with aclosing(FORMATS[ending].write(header, pages(), titled=True)) as chunks:
            async for _ in chunks:
                pass

    downloading = asyncio.create_task(download())
    await written.wait()  # now the first page is being written, in a thread
    downloading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await downloading
    async with asyncio.timeout(within(10)):
        while [*tmp_path.iterdir()]:
            await asyncio.sleep(0.01)
