"""Search time over the shipped corpus.

    python -m tools.benchmarks.search [--rounds 3] [--write PAGE]

Each value is the time in milliseconds of the first page of a GraphQL search with the matching parts, in the
server's process: the median, or the 99th percentile. Each search has a different day, so no result is cached;
states and texts may be. `--seconds` is the duration of each search series.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import count, cycle

from deploy.bootstrap import running_tracker
from schema.execution.execute import execute
from schema.services import Access
from tools.benchmarks import harness
from tools.benchmarks.harness import OURS, Column, Measure, Table
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

SEARCH = """query ($text: String!, $day: Day) { asOf(validAt: $day) { search(text: $text) {
  totalCount nodes { entity title rank matched { field text start end } } } } }"""
FIRST_DAY = date(2025, 1, 1)
PERCENTILES = 100
TEXTS = {
    "one": ["gallium", "antimony", "quad", "mofcom", "stockpile", "graphite", "lynas", "tariff"],
    "several": [
        "export ban gallium",
        "mofcom 46/2024",
        "rare earth magnets licence",
        "indonesia nickel ore",
        "price floor MP Materials",
        "quad critical minerals initiative",
    ],
    "misspelt": ["galium ban", "disprosium", "indonesa nickle", "congo kobalt quota"],
    "common": ["china", "critical minerals", "export", "United States"],
    "figures": ["gallium china production 2023", "lithium chile", "rare earths mine 2022"],
}
TITLES = {
    "one": "one word",
    "several": "several words",
    "misspelt": "misspelt",
    "common": "words of hundreds",
    "figures": "figures",
}


def measure(texts: Sequence[str], seconds: float, cut: Callable[[list[float]], float]) -> Measure:
    """Return the milliseconds of the searches for some texts in turn, aggregated by `cut`."""

    async def milliseconds(target: Target) -> float:
        async with running_tracker(target) as services:
            await import_file(target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
            await services.projector.reach(await services.recorder.head(), seconds=120)
            taken: list[float] = []
            end, days = time.perf_counter() + seconds, count()
            for text in cycle(texts):
                day = FIRST_DAY + timedelta(days=next(days))
                before = time.perf_counter()
                answer = await execute(
                    services, SEARCH, {"text": text, "day": day.isoformat()}, Access()
                )
                taken.append((time.perf_counter() - before) * 1000)
                assert "errors" not in answer, answer["errors"]
                if before > end and len(taken) > PERCENTILES:
                    return cut(taken)
        raise AssertionError("there are texts")

    return milliseconds


def p99(taken: list[float]) -> float:
    """Return the 99th percentile."""
    return statistics.quantiles(taken, n=PERCENTILES)[-1]


def tables(seconds: float) -> Sequence[Table]:
    """Return the median and the 99th percentile of each kind of search."""
    cuts: dict[str, Callable[[list[float]], float]] = {"p50": statistics.median, "p99": p99}
    return [
        Table(
            f"Milliseconds of a search, {name}",
            [
                Column(f"{key}-{name}", TITLES[key], {OURS: measure(texts, seconds, cut)})
                for key, texts in TEXTS.items()
            ],
            ratios=False,
            digits=1,
        )
        for name, cut in cuts.items()
    ]


if __name__ == "__main__":
    harness.main("search", __doc__ or "", tables)
