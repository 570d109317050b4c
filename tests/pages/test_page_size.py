"""The size of pages: visitors with slow connections read them too."""

import pytest

from tests.browser.addresses import PAGES
from tests.support.api import Api

MAX_BYTES = 300_000
"""The maximum size of the HTML of a page, uncompressed."""


LARGE = {"group of all minerals": "/commodities/critical_minerals"}


@pytest.mark.parametrize("path", [*PAGES.values(), *LARGE.values()], ids=[*PAGES, *LARGE])
async def test_no_page_is_larger_than_300_kilobytes(corpus: Api, path: str) -> None:
    answer = await corpus.request("GET", path, headers={"Accept": "text/html"})
    assert len(answer.content) <= MAX_BYTES
