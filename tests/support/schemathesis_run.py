"""Questions and mutations that schemathesis makes up from the schema, asked of a running server.

    tracker demo &
    python -m tests.support.schemathesis_run http://127.0.0.1:8000 --cases 10000

No answer may be a 5xx or have an error that nobody foresaw; every error has a code. What it
makes up has few names that exist: in every other case words of the corpus take the place of texts.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2
import schemathesis
from graphql import StringValueNode, Visitor, introspection_from_schema, parse, print_ast, visit
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from schema.execution.schema import SCHEMA
from tests.support.time_limits import within

WORDS = (
    "gallium",
    "rare_earths",
    "CN",
    "US",
    "quad",
    "msp",
    "usgs",
    "cn-mofcom-2024-46",
    "export-control/cn-mofcom-2024-46",
    "alliance/msp",
    "rare_earths/CN/production/mine/2023",
    "ExportControl.Suspended",
    "export-control:cn-mofcom-2024-46",
    "2025-11-20",
    "0",
    "1000",
)
TEXTS = {
    "Day": ("2025-11-20", "1900-01-01", "9999-12-31", "2025-02-30", "", "today"),
    "DateTime": ("2025-11-20T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2025-11-20", ""),
    "PartialDate": ("2025", "2025-11", "2025-11-20", "2025-13", "0000", ""),
    "Position": ("0", "1", "100", "9223372036854775807", "9223372036854775808", "-1", "", "１"),
    "Decimal": ("0", "-1.5", "1e400", "NaN", "Infinity", "0." + "1" * 200),
}
"""What scalars of our own are made of: texts of the right form, of the wrong one, at the edges."""
BAD = frozenset({"INTERNAL", "ERROR", ""})


def generated(cases: int, start: int = 1) -> list[str]:
    """So many documents, the same for the same start: as many of each operation as there are."""
    for name, texts in TEXTS.items():
        schemathesis.graphql.scalar(
            name, st.sampled_from(texts).map(lambda text: StringValueNode(value=text))
        )
    known = schemathesis.graphql.from_dict(dict(introspection_from_schema(SCHEMA._schema)))
    operations = [result.ok() for result in known.get_all_operations()]
    documents: list[str] = []
    while len(documents) < cases:
        per_operation = min(100, -(-(cases - len(documents)) // len(operations)))
        for operation in operations:
            documents += _of(operation, per_operation, start)
        start += 1
    chance = random.Random(start)
    chance.shuffle(documents)
    return [
        worded(document, chance) if number % 2 else document
        for number, document in enumerate(documents[:cases])
    ]


def _of(operation: Any, cases: int, start: int) -> list[str]:
    """Documents of one operation."""
    found: list[str] = []

    @seed(start)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def collect(case: Any) -> None:
        found.append(case.body)

    collect()
    return found


class _Words(Visitor):
    """Puts words of the corpus where texts are."""

    def __init__(self, chance: random.Random):
        super().__init__()
        self._chance = chance

    def enter_string_value(self, node: StringValueNode, *_: Any) -> StringValueNode | None:
        """Another text in most places."""
        if self._chance.random() < 0.3:
            return None
        return StringValueNode(value=self._chance.choice(WORDS))


def worded(document: str, chance: random.Random) -> str:
    """A document with words of the corpus in it."""
    try:
        return print_ast(visit(parse(document), _Words(chance)))
    except RecursionError:
        return document


@dataclass
class Outcome:
    """How often which code came, and what should never have come."""

    codes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def take(self, document: str, response: httpx2.Response) -> None:
        """Judge an answer."""
        answer = response.json()
        errors = answer.get("errors", [])
        codes = [error.get("extensions", {}).get("code", "") for error in errors] or ["ok"]
        self.codes.update(set(codes))
        told = {"data", "errors"} & set(answer)
        if response.status_code >= 500 or BAD & set(codes) or not told:
            self.failures.append(f"{response.status_code} {response.text[:2000]}\n{document}")


async def ask(url: str, documents: list[str], token: str | None = None) -> Outcome:
    """Ask a running server all of them, eight at a time."""
    outcome, waiting = Outcome(), iter(documents)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=within(100)) as client:

        async def work() -> None:
            for document in waiting:
                outcome.take(document, await client.post("/graphql", json={"query": document}))

        await asyncio.gather(*(work() for _ in range(8)))
    return outcome


def main() -> int:
    """Generate, ask, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--token")
    given = parser.parse_args()
    documents = generated(given.cases, given.seed)
    outcome = asyncio.run(ask(given.url, documents, given.token))
    print(f"{len(documents)} cases, {len(outcome.failures)} failures")
    for code, times in outcome.codes.most_common():
        print(f"{times:6} {code}")
    for failure in outcome.failures[:20]:
        print(failure, file=sys.stderr)
    return bool(outcome.failures)


if __name__ == "__main__":
    sys.exit(main())
