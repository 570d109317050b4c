"""The firms of a shipment: listed, similar to a listed one, or on no recorded list."""

from datetime import date

from msgspec.structs import replace

from tests.support.cases import each_case
from tracker.domain.basics.values import Name
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.shipments.firms import ListedFirms, NamedFirm, named_firms
from tracker.domain.shipments.shipment import Case, Shipment


def listed() -> ListedFirms:
    """Return lists with the firms of the tests."""
    names = {
        "red cat holdings, inc.": "Red Cat Holdings, Inc.",
        "lockheed martin": "Lockheed Martin",
    }
    return ListedFirms(names, {"red cat holdings, inc.": {"CN", "US"}, "lockheed martin": {"CN"}})


@each_case(
    ("name", "statement"),
    [
        (
            "RED CAT Holdings,  Inc.",
            "“RED CAT Holdings,  Inc.” is listed by China and the United States.",
        ),
        (
            "Red Cat Holding Inc",
            "“Red Cat Holding Inc” is not on a recorded list, but similar to “Red Cat Holdings,"
            " Inc.”: check the name.",
        ),
        (
            "Lockheed Martin Missiles",
            "“Lockheed Martin Missiles” is not on a recorded list, but similar to “Lockheed"
            " Martin”: check the name.",
        ),
        (
            "Red Cat Holdings Landing Systems GmbH",
            "“Red Cat Holdings Landing Systems GmbH” is not on a recorded list, but similar to “Red"
            " Cat Holdings, Inc.”: check the name.",
        ),
        ("Acme GmbH", "“Acme GmbH” is not on a recorded list."),
    ],
)
def test_each_named_firm_has_its_statement(name: str, statement: str) -> None:
    shipment = Shipment(commodity=Commodity("gallium"), end_user=Name(name))
    [firm] = named_firms(Case(shipment, date(2025, 12, 1), {}), listed())
    assert (firm.field, firm.statement) == ("endUser", statement)


def test_another_recorded_name_of_a_listed_firm_is_listed() -> None:
    shipment = Shipment(commodity=Commodity("gallium"), exporter=Name("LMT"))
    names = {"LMT": frozenset({"lmt", "lockheed martin"})}
    [firm] = named_firms(Case(shipment, date(2025, 12, 1), names), listed())
    assert firm.listed_by == ("CN",)


def test_a_shipment_without_firms_has_none() -> None:
    shipment = Shipment(commodity=Commodity("gallium"))
    assert [*named_firms(Case(shipment, date(2025, 12, 1), {}), listed())] == []


def test_a_firm_that_a_rule_names_as_exporter_is_said_to_be_listed_first() -> None:
    named = NamedFirm("exporter", "X", (), (), ("ID",))
    assert named.statement == "“X” is named as an exporter in rules of Indonesia."
    assert replace(named, listed_by=("CN",)).statement == "“X” is listed by China."
