"""Countries of a union on a day, for displays of its acts as theirs."""

from schema.services import Services
from tests.support.api import Api
from tests.support.cases import each_case

DOCUMENT = """query ($day: Day) { asOf(validAt: $day) {
  unions { place { code isAggregate } members { code } } } }"""


@each_case(
    ("day", "count", "has", "lacks"),
    [("1972-12-31", 6, "FR", "GB"), ("2019-12-31", 28, "GB", "CH"), ("2026-01-01", 27, "HR", "GB")],
)
async def test_a_union_has_the_countries_of_the_day(
    services: Services, day: str, count: int, has: str, lacks: str
) -> None:
    [union] = (await Api(services).ask(DOCUMENT, day=day))["asOf"]["unions"]
    members = [place["code"] for place in union["members"]]
    assert union["place"] == {"code": "EU", "isAggregate": True}
    assert members == sorted(members)
    assert (len(members), has in members, lacks in members) == (count, True, False)
