"""The same goods from other origins, beside the check of a shipment."""

from decimal import Decimal
from typing import Any

from tests.support.api import Api

QUERY = """query ($shipment: ShipmentInput!) { asOf(validAt: "2026-12-01") { shipment(input: $shipment) {
  summary importDuties { low high }
  byOrigin { place { code } share summary certain possible
    importDuties { low high lines { clause { control { key } } } } }
} } }"""
SILICON = {"commodity": "silicon_metal", "hsCode": "28046900", "codeOf": "EU"}


async def asked(api: Api, **shipment: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await api.ask(QUERY, shipment=shipment))["asOf"]["shipment"]
    return answer


async def test_a_check_compares_the_goods_from_the_largest_producers(corpus: Api) -> None:
    of = await asked(corpus, **SILICON, origin="CN", destination="DE")
    own, *others = of["byOrigin"]
    assert own["place"]["code"] == "CN"
    assert own["summary"] == of["summary"]
    assert own["possible"] == ["IMPORT_DUTY"]  # the duty can have ended: nothing confirms it
    assert own["importDuties"]["high"] == of["importDuties"]["high"] == "22.3"
    codes = [one["place"]["code"] for one in others]
    assert {"BR", "NO"} <= {*codes}
    assert not {"CN", "DE"} & {*codes}
    assert all(one["importDuties"]["lines"] == [] for one in others)
    shares = [Decimal(one["share"]) for one in of["byOrigin"]]
    assert shares == sorted(shares, reverse=True)


async def test_another_origin_is_answered_as_a_shipment_from_there(corpus: Api) -> None:
    goods = {"commodity": "tungsten", "destination": "US", "form": "METAL"}
    of = await asked(corpus, **goods, origin="CN", exportCountry="HK", preference="none")
    for one in of["byOrigin"][1:]:
        alone = await asked(corpus, **goods, origin=one["place"]["code"])
        assert one["summary"] == alone["summary"]
        assert one["importDuties"]["high"] == alone["importDuties"]["high"]


async def test_origins_are_compared_only_for_one_commodity_and_a_destination(corpus: Api) -> None:
    for shipment in (
        {**SILICON, "origin": "CN"},
        {**SILICON, "destination": "DE"},
        {"hsCode": "2849", "origin": "CN", "destination": "DE"},
    ):
        assert (await asked(corpus, **shipment))["byOrigin"] == []
