"""Worked duties: shipments to the United States with their total, its instruments, steps and sources.

On 22 February 2026 the duties under the IEEPA had ended and the surcharge of Section 122 had not begun, so
the total is the ordinary duty with Sections 232 and 301. The rates of a row are from the cells of the tariff
and the acts, added by hand. The duty on copper is on its content only, so its layer begins at 0.
"""

import pytest

from tests.support.api import Api

DAY = "2026-02-22"
LISTS, REVIEW, STEEL, COPPER = "us-301-2018", "us-301-2024", "us-232-steel", "us-232-copper-2025"
TUNGSTEN, COLUMN_2 = "us-301-2025-tungsten", "us-2022-ru-column-2"
NONE = {"preference": "none"}
QUERY = """query ($day: Day!, $shipment: ShipmentInput!) { asOf(validAt: $day) { shipment(input: $shipment) {
  ordinaryDuty { statement lines { code } }
  importDuties {
    low high statement notCovered steps { text low high }
    lines { high clause { match control { key } sources { name } } }
  } } } }"""

PROVED = (
    "As printed on 14 May 2025 and, unchanged, on 8 June 2026.",
    "As printed on 14 May 2025; the edition of 8 June 2026 prints the same rates.",
)

WORKED: list[tuple[str, str, dict[str, str], str, set[str]]] = [
    # code, origin, stated, ordinary + additional, instruments
    ("81129210", "CN", {}, "3 + 25 = 28", {LISTS}),
    ("81129210", "DE", {}, "3 = 3", set()),
    ("81129210", "KZ", NONE, "3 = 3", set()),
    ("81129210", "CL", NONE, "3 = 3", set()),
    ("81129210", "CL", {"preference": "CL"}, "0 = 0", set()),
    ("81129210", "CA", {"preference": "USMCA"}, "0 = 0", set()),
    ("81129210", "CA", NONE, "3 = 3", set()),
    ("81129210", "BY", {}, "25 = 25", set()),
    ("81129210", "CU", {}, "25 = 25", set()),
    ("81129210", "KP", {}, "25 = 25", set()),
    ("81129210", "RU", {}, "70 = 70", {COLUMN_2}),
    ("81129265", "CN", {}, "4.4 + 25 = 29.4", {LISTS}),
    ("81129910", "CN", {}, "4.4 + 25 = 29.4", {LISTS}),
    ("28259015", "CN", {}, "3.7 + 25 = 28.7", {LISTS}),
    ("28259010", "CN", {}, "3.7 + 25 = 28.7", {LISTS}),
    ("28419020", "CN", {}, "3.1 + 25 = 28.1", {LISTS}),
    ("28499030", "CN", {}, "5.5 + 25 = 30.5", {REVIEW}),
    ("81019400", "CN", {}, "6.6 + 25 = 31.6", {TUNGSTEN}),
    ("81032000", "CN", {}, "2.5 + 25 = 27.5", {REVIEW}),
    ("73269086", "CN", {}, "2.9 + 25 + 50 = 77.9", {LISTS, STEEL}),
    ("73269086", "DE", {}, "2.9 + 50 = 52.9", {STEEL}),
    ("73269086", "GB", {}, "2.9 + 25 = 27.9", {STEEL}),
    ("73181520", "CN", {}, "0 + 25 + 50 = 75", {LISTS, STEEL}),
    ("85051100", "CN", {}, "2.1 + 25 = 27.1", {REVIEW}),
    ("85051100", "JP", NONE, "2.1 = 2.1", set()),
    ("85051100", "JP", {"preference": "JP"}, "0 = 0", set()),
    ("85414200", "CN", {}, "0 + 50 = 50", {REVIEW}),
    ("85411000", "CN", {}, "0 + 50 = 50", {REVIEW}),
    ("85079040", "CN", {}, "3.5 + 25 = 28.5", {REVIEW}),
    ("74122000", "CN", {}, "3 + 25 + 0 to 50 = 28 to 78", {LISTS, COPPER}),
    ("74122000", "CL", NONE, "3 + 0 to 50 = 3 to 53", {COPPER}),
    ("74122000", "CL", {"preference": "CL"}, "0 + 0 to 50 = 0 to 50", {COPPER}),
    ("74122000", "MX", {"preference": "USMCA"}, "0 + 0 to 50 = 0 to 50", {COPPER}),
    ("83111000", "CN", {}, "0 + 25 = 25", {LISTS}),
    ("82022000", "CN", {}, "0 + 25 = 25", {LISTS}),
    ("26011100", "CN", {}, "0 + 25 = 25", {LISTS}),
    ("26100000", "CN", {}, "0 + 25 = 25", {REVIEW}),
    ("25010000", "CN", {}, "0 + 25 = 25", {LISTS}),
    ("28369100", "CN", {}, "3.7 + 25 = 28.7", {LISTS}),
    ("28369100", "CL", {"preference": "CL"}, "0 = 0", set()),
    ("28369100", "AR", NONE, "3.7 = 3.7", set()),
    ("81082000", "JP", {}, "15 = 15", set()),
    ("81082000", "CN", {}, "15 + 25 = 40", {LISTS}),
    ("81082000", "RU", {}, "70 = 70", {COLUMN_2}),
    ("28053000", "CN", {}, "5 = 5", set()),
    (
        "81049000",
        "DE",
        {"value": "1000", "weight": "100", "metalWeight": "50"} | NONE,
        "3.5 + 0.74 = 4.24",
        set(),
    ),
    ("26209920", "CN", {"value": "1000", "metalWeight": "50"}, "4.68 + 25 = 29.68", {LISTS}),
]


@pytest.mark.parametrize(
    ("code", "origin", "stated", "sum_", "controls"),
    WORKED,
    ids=[f"{code}-{origin}-{sum_}" for code, origin, _, sum_, _ in WORKED],
)
async def test_the_duties_of_a_worked_shipment_are_the_sum_of_its_layers(
    api: Api, code: str, origin: str, stated: dict[str, str], sum_: str, controls: set[str]
) -> None:
    shipment = {"hsCode": code, "codeOf": "US", "origin": origin, "destination": "US"} | stated
    found = (await api.ask(QUERY, day=DAY, shipment=shipment))["asOf"]["shipment"]
    duties, ordinary = found["importDuties"], found["ordinaryDuty"]
    low, _, high = sum_.partition(" = ")[2].partition(" to ")
    total = high or low
    assert (duties["low"], duties["high"]) == (low, total), duties
    assert {one["clause"]["control"]["key"] for one in duties["lines"]} == controls
    assert duties["steps"][0]["text"].startswith("Ordinary duty: ")
    assert duties["steps"][-1]["high"] == total
    assert [one["code"] for one in ordinary["lines"]] == [code]
    assert ordinary["statement"] in PROVED
    assert all(one["clause"]["sources"] for one in duties["lines"])
    assert not any("ordinary" in one or "9903" in one for one in duties["notCovered"])
