"""A simulated API of the Federal Register: its limits, and its silent behaviour beyond them."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.support.publishers.publisher import MISSING, Asked, Page, Publisher, as_json

PATH = "/api/v1/documents.json"
MAX_RESULTS = 10_000
MAX_PAGE_SIZE, DEFAULT_PAGE_SIZE = 2000, 20
MAX_PAGES = 50
CONDITIONS = {"term", "agencies", "type", "publication_date"}
TYPES = {
    "RULE": "Rule",
    "PRORULE": "Proposed Rule",
    "NOTICE": "Notice",
    "PRESDOCU": "Presidential Document",
}
BIS = {"name": "Industry and Security Bureau", "slug": "industry-and-security-bureau"}


def document(number: str, day: str, title: str = "A document", **fields: Any) -> dict[str, Any]:
    """Return a document; `full_text` is searched for terms, and never sent."""
    return {
        "document_number": number,
        "publication_date": day,
        "title": title,
        "type": "Notice",
        "abstract": None,
        "action": "Notice.",
        "agencies": [BIS],
        "html_url": f"https://www.federalregister.gov/documents/{day.replace('-', '/')}/{number}/x",
        "citation": f"99 FR {number[-5:].lstrip('0') or 0}",
        "page_views": {"count": 17},
        "correction_of": None,
        "corrections": [],
        "docket_ids": [],
    } | fields


class FederalRegister(Publisher):
    """A simulated `documents.json`. `count_limit` is the maximum of its count."""

    def __init__(self, documents: Iterable[dict[str, Any]] = (), count_limit: int = MAX_RESULTS):
        super().__init__()
        self.documents = {each["document_number"]: each for each in documents}
        self.count_limit = count_limit

    def add(self, *documents: dict[str, Any]) -> None:
        """Publish or replace documents by number."""
        self.documents |= {each["document_number"]: each for each in documents}

    def page(self, asked: Asked) -> Page:
        """Return a page of the documents that meet the conditions."""
        if asked.path != PATH:
            return MISSING
        names = {
            match[1] for key in asked.query if (match := re.match(r"conditions\[(\w+)\]", key))
        }
        if unknown := names - CONDITIONS:
            errors = dict.fromkeys(unknown, "is not a valid field")
            return as_json({"errors": errors}, status=400)
        meets = _conditions(asked)
        found = sorted(
            filter(meets, self.documents.values()),
            key=lambda each: (each["publication_date"], each["document_number"]),
            reverse=asked.parameter("order") != "oldest",
        )
        return as_json(self._answer(found, asked))

    def _answer(self, found: list[dict[str, Any]], asked: Asked) -> dict[str, Any]:
        size, number = int(asked.parameter("per_page", "20")), int(asked.parameter("page", "1"))
        if not 1 < size <= MAX_PAGE_SIZE:
            size = DEFAULT_PAGE_SIZE
        if not 1 <= number <= MAX_PAGES or number * size > MAX_RESULTS:
            number = 1
        page = found[(number - 1) * size : number * size]
        answer: dict[str, Any] = {"count": min(len(found), self.count_limit), "description": "…"}
        if page:
            answer["total_pages"] = min(-(-len(found) // size), MAX_PAGES)
            names = asked.query["fields[]"]
            answer["results"] = [{name: each.get(name) for name in names} for each in page]
        return answer


def _conditions(asked: Asked) -> Callable[[dict[str, Any]], bool]:
    """Return a function that checks the conditions of a request."""
    query = asked.query
    first = query.get("conditions[publication_date][gte]", ["1994-01-01"])[0]
    last = query.get("conditions[publication_date][lte]", ["2099-12-31"])[0]
    types = {TYPES[name] for name in query.get("conditions[type][]", TYPES)}
    agencies = set(query.get("conditions[agencies][]", ()))
    [term] = query.get("conditions[term]", [""])
    phrases = re.findall(r'"([^"]+)"', term.casefold())
    assert bool(phrases) == bool(term), f"no phrases in {term}"

    def meets(each: dict[str, Any]) -> bool:
        text = f"{each['title']} {each['abstract']} {each.get('full_text', '')}".casefold()
        return (
            first <= each["publication_date"] <= last
            and each["type"] in types
            and (not agencies or bool(agencies & {agency["slug"] for agency in each["agencies"]}))
            and (not phrases or any(phrase in text for phrase in phrases))
        )

    return meets
