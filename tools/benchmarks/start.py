"""Start time of `tracker demo` until its three queries are answered, in seconds.

    python -m tools.benchmarks.start [--rounds 3] [--write PAGE]

Cold: an empty data directory (initdb, corpus, projection). Warm: the same directory again. CPU time includes
PostgreSQL, the search index, which is filled after the first answers, and the stop.
"""

import statistics
from collections.abc import Sequence

from tools.benchmarks.harness import machine, markdown, options, publish
from tools.benchmarks.starting import Start, cold_and_warm


def report(taken: Sequence[tuple[Start, Start]]) -> str:
    """Return the times of cold and warm starts as a table."""
    rows = []
    for name, starts in zip(("cold", "warm"), zip(*taken, strict=True), strict=True):
        seconds = [each.seconds for each in starts]
        figures = (statistics.median(seconds), max(seconds))
        cpu = statistics.median(each.cpu for each in starts)
        rows.append([name, *(f"{figure:.2f}" for figure in (*figures, cpu))])
    table = markdown(["`tracker demo`", "median", "slowest", "CPU"], rows)
    return f"{machine()}; rounds: {len(taken)}; seconds.\n\n{table}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    chosen = options(str(__doc__)).parse_args(arguments)
    publish("start", report([cold_and_warm() for _ in range(chosen.rounds)]), chosen.write)


if __name__ == "__main__":
    main()
