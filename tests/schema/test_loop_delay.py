"""The gauge of the event loop's delay."""

import asyncio
import gc
import time
import weakref

from schema.services import Services
from schema.telemetry import metrics
from schema.telemetry.metrics import LoopDelay
from tests.support.api import Api


async def test_work_that_blocks_the_loop_is_measured() -> None:
    delay = LoopDelay()
    assert delay.seconds == 0
    delay.begin()
    await asyncio.sleep(metrics.BEAT_SECONDS / 2)
    time.sleep(0.3)
    assert delay.seconds > 0.2
    await asyncio.sleep(2 * metrics.BEAT_SECONDS)
    assert delay.seconds > 0.2


async def test_the_timer_ends_with_its_object() -> None:
    delay = LoopDelay()
    delay.begin()
    reference = weakref.ref(delay)
    del delay
    gc.collect()
    assert reference() is None
    await asyncio.sleep(2 * metrics.BEAT_SECONDS)


async def test_metrics_have_the_delay(services: Services) -> None:
    text = (await Api(services).request("GET", "/metrics")).text
    assert "\ntracker_loop_delay_seconds " in text
