"""Worked duties of imports into the European Union: the conventional rate, and anti-dumping duties by maker.

The conventional rates are those that the author knew of the Combined Nomenclature before the lines were read.
"""

import pytest

from tests.support.api import Api

DAY = "2026-09-01"
QUERY = """query ($day: Day!, $shipment: ShipmentInput!) { asOf(validAt: $day) { shipment(input: $shipment) {
  ordinaryDuty { low high statement lines { code place { code } } }
  importDuties { low high notCovered lines { low high clause { control { key } } } }
  openQuestions { id }
} } }"""
DATONG = "Datong Jinneng Industrial Silicon Co., Ltd."
SILICON = "eu-2022-silicon-ad/1/maker"
KNOWN = {
    "28046900": "5.5",
    "28369100": "5.5",
    "28499030": "5.5",
    "81041100": "5.3",
    "81101000": "7",
    "81082000": "5",
    "72022100": "5.7",
    "72021120": "2.7",
    "79011100": "2.5",
    "28252000": "5.3",
    "28220000": "4.6",
    "25041000": "0",
    "26030000": "0",
    "74031100": "0",
    "75021000": "0",
    "80011000": "0",
}


@pytest.mark.parametrize(("code", "rate"), KNOWN.items())
async def test_the_ordinary_duty_is_at_most_the_conventional_rate(
    api: Api, code: str, rate: str
) -> None:
    shipment = {"hsCode": code, "codeOf": "EU", "origin": "CN", "destination": "DE"}
    found = (await api.ask(QUERY, day=DAY, shipment=shipment))["asOf"]["shipment"]
    assert (found["ordinaryDuty"]["low"], found["ordinaryDuty"]["high"]) == ("0", rate)
    assert found["ordinaryDuty"]["lines"] == [{"code": code, "place": {"code": "EU"}}]
    assert found["ordinaryDuty"]["statement"].startswith("As printed on 31 October 2025")


@pytest.mark.parametrize(
    ("code", "stated", "range_", "asked"),
    [
        ("28046900", {}, ("16.3", "22.3"), True),
        ("28046900", {"answers": [{"question": SILICON, "yes": False}]}, ("16.8", "22.3"), False),
        ("28046900", {"exporter": DATONG}, ("16.3", "22.3"), True),
        (
            "28046900",
            {"exporter": DATONG, "answers": [{"question": SILICON, "yes": True}]},
            ("16.3", "21.8"),
            False,
        ),
        ("28046900", {"origin": "NO"}, ("0", "5.5"), False),
        ("28499030", {}, ("33", "38.5"), False),
    ],
)
async def test_an_anti_dumping_duty_is_paid_beside_the_ordinary_one(
    api: Api, code: str, stated: dict[str, object], range_: tuple[str, str], asked: bool
) -> None:
    shipment = {"hsCode": code, "codeOf": "EU", "origin": "CN", "destination": "DE"} | stated
    found = (await api.ask(QUERY, day=DAY, shipment=shipment))["asOf"]["shipment"]
    assert (found["importDuties"]["low"], found["importDuties"]["high"]) == range_
    assert (SILICON in [one["id"] for one in found["openQuestions"]]) is asked


async def test_silicon_consigned_from_korea_pays_the_duty_of_all_others(api: Api) -> None:
    shipment = {
        "hsCode": "2804690010",
        "codeOf": "EU",
        "origin": "NO",
        "exportCountry": "KR",
        "destination": "DE",
    }
    found = (await api.ask(QUERY, day=DAY, shipment=shipment))["asOf"]["shipment"]
    [line] = found["importDuties"]["lines"]
    assert line["high"] == "16.8"
