"""Figures that publishers file under another commodity: natural graphite is the graphite that is mined."""

from typing import Any

from schema.services import Services
from tests.support.api import Api
from tests.support.cases import each_case
from tracker.domain.basics.vocabulary import Stage
from tracker.domain.catalogue.commodities import Commodity, commodities


async def at(services: Services, fields: str) -> Any:
    """Return fields of the shipped corpus on a day."""
    return (await Api(services).ask(f'{{ asOf(validAt: "2026-08-01") {{ {fields} }} }}'))["asOf"]


async def test_the_exposure_of_natural_graphite_uses_the_figures_of_graphite(
    read_services: Services,
) -> None:
    fields = "commodity { key } figuresOf { key } stage year partlyControlledShare"
    [found] = (await at(read_services, f'exposure(commodity: "natural_graphite") {{ {fields} }}'))[
        "exposure"
    ]
    assert found == {
        "commodity": {"key": "natural_graphite"},
        "figuresOf": {"key": "graphite"},
        "stage": "MINE",
        "year": 2025,
        "partlyControlledShare": "0.7778",
    }


async def test_exposure_without_figures_names_no_commodity_of_figures(
    read_services: Services,
) -> None:
    fields = "commodity { key } figuresOf { key } partlyControlledShare"
    found = await at(read_services, f'exposure(commodity: "artificial_graphite") {{ {fields} }}')
    assert found["exposure"] == [
        {
            "commodity": {"key": "artificial_graphite"},
            "figuresOf": None,
            "partlyControlledShare": None,
        }
    ]


async def test_exposure_of_graphite_counts_its_figures_once(read_services: Services) -> None:
    fields = "commodity { key } figuresOf { key }"
    found = await at(read_services, f'exposure(commodity: "graphite") {{ {fields} }}')
    supplies = [(one["commodity"]["key"], one["figuresOf"]["key"]) for one in found["exposure"]]
    assert supplies == [("graphite", "graphite"), ("anode_materials", "anode_materials")]


async def test_exposure_of_everything_names_the_commodity_of_figures(
    read_services: Services,
) -> None:
    found = await at(
        read_services, 'exposure(issuer: "CN") { commodity { key } figuresOf { key } stage }'
    )
    filed = [
        (one["commodity"]["key"], one["figuresOf"]["key"], one["stage"])
        for one in found["exposure"]
        if one["figuresOf"] and one["figuresOf"] != one["commodity"]
    ]
    assert filed == [("natural_graphite", "graphite", "MINE")]


DISTRIBUTION = "commodity { key } figuresOf { key } stage year world { figure }"


@each_case(
    ("field", "stage", "figure"),
    [
        (
            'production(commodity: "natural_graphite")',
            "MINE",
            "graphite/WORLD/production/mine/2025",
        ),
        (
            'production(commodity: "natural_graphite", year: 2024)',
            "MINE",
            "graphite/WORLD/production/mine/2024",
        ),
        ('reserves(commodity: "natural_graphite")', None, "graphite/WORLD/reserves"),
    ],
)
async def test_distributions_use_figures_that_are_filed_under_another_commodity(
    read_services: Services, field: str, stage: str | None, figure: str
) -> None:
    found = (await at(read_services, f"found: {field} {{ {DISTRIBUTION} }}"))["found"]
    assert (found["commodity"]["key"], found["figuresOf"]["key"]) == (
        "natural_graphite",
        "graphite",
    )
    assert (found["stage"], found["world"]["figure"]) == (stage, figure)


async def test_only_figures_of_the_stage_are_those_of_refined_copper(
    read_services: Services,
) -> None:
    found = await at(
        read_services,
        'meant: production(commodity: "refined_copper") { stage figuresOf { key } }'
        ' mined: production(commodity: "refined_copper", stage: MINE) { stage figuresOf { key } }'
        ' figures(commodity: "refined_copper", first: 200) {'
        " totalCount nodes { series { commodity { key } stage } } }"
        ' none: figures(commodity: "refined_copper", stage: MINE) { totalCount }',
    )
    assert found["meant"] == {"stage": "REFINERY", "figuresOf": {"key": "copper"}}
    assert found["mined"] == {"stage": "MINE", "figuresOf": None}
    assert {
        (one["series"]["commodity"]["key"], one["series"]["stage"])
        for one in found["figures"]["nodes"]
    } == {("copper", "REFINERY")}
    assert found["figures"]["totalCount"] > 0
    assert found["none"]["totalCount"] == 0


async def test_supplies_and_available_products_name_the_commodity_of_figures(
    read_services: Services,
) -> None:
    supply = "commodity { key } figuresOf { key } statistic stage"
    found = await at(
        read_services,
        f'supplies(commodity: "natural_graphite") {{ {supply} }}'
        f' production(commodity: "natural_graphite") {{ available {{ {supply} }} }}'
        ' graphite: production(commodity: "graphite") { available { commodity { key } } }'
        ' latestProductions(commodity: "natural_graphite") { commodity { key } figuresOf { key } }',
    )
    mined = {
        "commodity": {"key": "natural_graphite"},
        "figuresOf": {"key": "graphite"},
        "statistic": "PRODUCTION",
        "stage": "MINE",
    }
    reserves = {**mined, "statistic": "RESERVES", "stage": None}
    projected = {**mined, "statistic": "PRODUCTION_PROJECTION"}
    assert found["supplies"][:3] == [mined, reserves, projected]
    assert found["production"]["available"] == [mined]
    available = [one["commodity"]["key"] for one in found["graphite"]["available"]]
    assert available == ["graphite", "anode_materials"]
    assert found["latestProductions"] == [
        {"commodity": {"key": "natural_graphite"}, "figuresOf": {"key": "graphite"}}
    ]


async def test_several_productions_each_have_the_commodity_that_was_asked_for(
    read_services: Services,
) -> None:
    found = await at(
        read_services,
        'productions(commodities: ["graphite", "natural_graphite"], years: {from: 2024, to: 2024})'
        " { commodity { key } figuresOf { key } }",
    )
    assert [(one["commodity"]["key"], one["figuresOf"]["key"]) for one in found["productions"]] == [
        ("graphite", "graphite"),
        ("natural_graphite", "graphite"),
    ]


def test_the_table_of_commodities_says_whose_figures_are_filed_elsewhere() -> None:
    """A part of a total has none: rare earths are counted together, and each is less than that."""
    filed = {str(of): of.filed_figures for of in commodities() if of.filed_figures}
    assert filed == {
        "natural_graphite": (Commodity("graphite"), None),
        "refined_copper": (Commodity("copper"), Stage.REFINERY),
    }
