"""The benchmark of the longest slices of the event loop."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter

import graphql
import pytest

from schema.execution.schema import SCHEMA
from tools.benchmarks.slices import Slice, SliceMeter, documents, report


def block(seconds: float) -> None:
    """Use the core."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def test_the_longest_slice_is_reported_with_its_stack() -> None:
    meter = SliceMeter()
    try:
        await asyncio.sleep(0.02)
        block(0.1)
        block(0.1)
        await asyncio.sleep(0.02)
    finally:
        gc.callbacks.remove(meter._note_collection)
    assert meter.longest.seconds >= 0.2
    assert meter.longest.stack.startswith("test_slices.block:")
    meter.restart()
    assert meter.longest.seconds == 0


def test_the_longest_slices_come_first_with_the_code_of_long_ones() -> None:
    found = {
        "short": [Slice(0.001), Slice(0.002), Slice(0.003)],
        "long": [Slice(0.06, Counter({"a": 1, "b": 2})), Slice(0.01), Slice(0.02)],
    }
    lines = report(found, [0.1, 0.3, 0.2], 3).splitlines()
    assert lines[4:6] == ["| `long` | 20 | 60 | b |", "| `short` | 2 | 3 |  |"]
    assert lines[-1] == "| 200 | 300 | 3 |"


@pytest.mark.parametrize("name", documents(1))
def test_every_query_is_valid(name: str) -> None:
    document = graphql.parse(documents(1)[name])
    assert graphql.validate(SCHEMA._schema, document) == []
