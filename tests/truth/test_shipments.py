"""Dated shipments with expected answers, on the shipped corpus.

The cases in `shipments/` are written from the acts, not from the code's results.
"""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.truth.shipment import ShipmentCase, check, differences, read_cases

CASES = read_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.ask)
async def test_the_check_of_a_shipment_is_right(api: Api, case: ShipmentCase) -> None:
    answer = await check(api, case)
    if wrong := differences(case, answer):
        lines = "\n  ".join([*wrong, f"why: {case.why}", f"source: {case.source}"])
        pytest.fail(f"\n{case.ask}\n  {case.day}: {case.shipment}\n  {lines}", pytrace=False)


def test_there_are_sixty_cases_each_with_its_own_name_and_source() -> None:
    assert len({case.ask for case in CASES}) == len(CASES) >= 60
    assert all(case.why and case.source for case in CASES)
