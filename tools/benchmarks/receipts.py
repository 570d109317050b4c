"""A receipt beside its query, on the shipped corpus.

    python -m tools.benchmarks.receipts [--rounds 3] [--write PAGE]

Responses are not cached, so every query is executed. The state digest of the moment is cached, except in the
last row.
"""

import statistics
import tempfile
import time
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

import uvloop

from deploy.bootstrap import running_tracker
from projections.query.moment import Moment
from schema.execution.execute import QUERIES as ONLY_QUERIES
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.receipts.issuer import ReceiptIssuer
from schema.receipts.moment_records import moment_record
from schema.services import OPEN_CALLER, Access
from tools.benchmarks.harness import load, machine, markdown, options, publish, server
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.postgres.database import Target

REPEATS = 40
DAY = date(2025, 12, 1)
QUERIES = {
    "one control with its clauses": (
        'exportControl(id: "cn-mofcom-2024-46") { clauses { key status suspendedUntil } }'
    ),
    "50 controls with their clauses": (
        "exportControls(first: 50) { totalCount nodes { key title clauses { key status } } }"
    ),
    "a check of a shipment": (
        'shipment(input: {commodity: "gallium", origin: "CN", destination: "US"})'
        " { verdicts { kind obligation } openQuestions { text } }"
    ),
}


async def measured(target: Target, rounds: int) -> str:
    """Return the medians as Markdown."""
    head = await load(target)
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        keystore = KeyStore(Path(directory))
        async with running_tracker(target, SigningOptions(keystore, "example.com/log")) as services:
            while (await services.proofs.size() or 0) < head:
                await services.projector.reach(head, seconds=600)
            answers, issuer = (
                ResponseCache(services, Access(), 0),
                ReceiptIssuer(services, Access()),
            )
            for name, selection in QUERIES.items():
                text = f'{{ asOf(validAt: "{DAY}", position: "{head}") {{ {selection} }} }}'
                request = QueryRequest(text, {}, None, OPEN_CALLER)
                query, receipt, size = list[float](), list[float](), 0
                for number in range(-1, REPEATS * rounds):
                    since = time.perf_counter()
                    answer = await answers.answer(request, ONLY_QUERIES, nullcontext())
                    assert isinstance(answer, Answer), answer
                    between = time.perf_counter()
                    await issuer.note(request, answer)
                    if number >= 0:
                        query.append(between - since)
                        receipt.append(time.perf_counter() - between)
                    size = len(answer.body)
                rows.append(row(f"{name} ({size:,} bytes)", query, receipt))
            first = list[float]()
            for number in range(3 * rounds):
                since = time.perf_counter()
                await moment_record(services.as_of, Moment(DAY - timedelta(number), head))
                first.append(time.perf_counter() - since)
    digest = statistics.median(first) * 1000
    header = ["query", "query, ms", "receipt, ms", "receipt / query"]
    return (
        f"{machine()}. Medians.\n\n{markdown(header, rows)}\n\nThe state digest of a moment of"
        f" {head:,} events takes {digest:.0f} ms once, and is then cached."
    )


def row(name: str, query: list[float], receipt: list[float]) -> list[str]:
    """Return the row of a query."""
    alone, more = statistics.median(query) * 1000, statistics.median(receipt) * 1000
    return [name, f"{alone:.2f}", f"{more:.2f}", f"{more / alone:.0%}"]


def main() -> None:
    """Measure and print, or write to a page."""
    chosen = options(str(__doc__)).parse_args()
    with server() as target:
        text = uvloop.run(measured(target, chosen.rounds))
    publish("receipts", text, chosen.write)


if __name__ == "__main__":
    main()
