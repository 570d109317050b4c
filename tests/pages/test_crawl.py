"""Every link and form of every page leads to an address that responds."""

from collections import Counter, deque
from urllib.parse import parse_qsl, urldefrag, urlencode, urljoin, urlsplit

import pytest
from lxml import html

from schema.execution.url_parameters import MOMENT
from schema.pages.registry import PAGES
from tests.support.api import Api

ORIGIN = "http://localhost"
SLOW_FILES = frozenset({"parquet", "pdf", "png", "svg", "xlsx"})
ALIKE = 1
"""The number of addresses of one room and the same parameters that are visited."""


def room_and_parameters(address: str) -> tuple[str, int, str, tuple[str, ...]]:
    """Return the room of an address, the depth and ending of its path, and the names of its parameters.

    The moment does not count, and files that take long to make are one room for each ending.
    """
    parts = urlsplit(address)
    ending = parts.path.rpartition(".")[2] if "." in parts.path else ""
    if ending in SLOW_FILES:
        return "", 0, ending, ()
    names = {name for name, _ in parse_qsl(parts.query)} - MOMENT.keys()
    return parts.path.split("/")[1], parts.path.count("/"), ending, tuple(sorted(names))


def addresses_of(page: html.HtmlElement, at: str) -> set[str]:
    """Return the addresses of this origin in a page's links, resources and default forms."""
    given = [*page.xpath("//a/@href | //link/@href | //img/@src | //script/@src")]
    for form in page.xpath("//form[not(@method) or translate(@method, 'GET', 'get') = 'get']"):
        fields = [(name, value) for name, value in form.form_values() if value is not None]
        given.append(f"{(form.get('action') or at).partition('?')[0]}?{urlencode(fields)}")
    absolute = {urldefrag(urljoin(f"{ORIGIN}{at}", link)).url for link in given}
    own = {link.removeprefix(ORIGIN) or "/" for link in absolute if link.startswith(ORIGIN)}
    # this application signs no log
    return {link for link in own if not link.startswith("/log/") and ".receipt" not in link}


@pytest.mark.timeout(1200)
async def test_no_link_and_no_form_leads_nowhere(corpus: Api) -> None:
    waiting = deque(
        [
            "/",
            "/places/US",
            "/controls/cn-mofcom-2024-46?valid=2025-11-20&position=10755",
            "/check?hsCode=81129210&codeOf=US&origin=CN&destination=US&valid=2026-09-04",
        ]
    )
    seen, visited, failed = set(waiting), Counter[tuple[str, int, str, tuple[str, ...]]](), []
    while waiting:
        address = waiting.popleft()
        response = await corpus.request("GET", address, headers={"accept": "text/html,*/*;q=0.5"})
        if response.status_code >= 400:
            failed.append((response.status_code, address))
        elif "text/html" in response.headers.get("content-type", ""):
            for link in sorted(addresses_of(html.fromstring(response.content), address) - seen):
                seen.add(link)
                kind = room_and_parameters(link)
                visited[kind] += 1
                if visited[kind] <= ALIKE:
                    waiting.append(link)
    assert not failed, "\n".join(f"{status} {address}" for status, address in failed)
    rooms = {kind[0] for kind in visited}
    assert {page.path.split("/")[1] for page in PAGES} <= rooms
