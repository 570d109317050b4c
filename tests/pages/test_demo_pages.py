"""The pages that the demo names when it starts are there."""

import pytest

from deploy.cli.demo_banner import PAGES
from tests.support.api import Api


@pytest.mark.parametrize("path", ["/", *PAGES])
async def test_each_page_that_the_demo_names_is_there(corpus: Api, path: str) -> None:
    answer = await corpus.request("GET", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
