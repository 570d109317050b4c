"""The declared products of lists of origins."""

from tests.support.cases import each_case
from tests.support.corpus_lines import shipped_events
from tracker.domain.basics.control_vocabulary import Form
from tracker.domain.catalogue.commodities import Commodity, descendants
from tracker.domain.catalogue.products import find_product, products
from tracker.domain.figures.figure_facts import Claimed


@each_case(
    ("commodity", "slug", "forms"),
    [
        ("gallium", "metal", [Form.METAL]),
        ("antimony", "oxide", [Form.OXIDE]),
        ("antimony", "total_metal_and_oxide", [Form.METAL, Form.ALLOY, Form.OXIDE]),
        ("germanium", "germanium_dioxide", [Form.OXIDE]),
        ("graphite", "all", [Form.ORE, Form.CONCENTRATE]),
        ("gallium", "ore", []),
        ("gallium", None, []),
    ],
)
def test_a_product_has_its_declared_forms(
    commodity: str, slug: str | None, forms: list[Form]
) -> None:
    product = find_product(Commodity(commodity), slug)
    assert (list(product.forms) if product else []) == forms


def test_a_total_is_marked_so_that_nobody_adds_it_to_its_parts() -> None:
    totals = {(p.commodity, p.slug) for p in products() if p.total}
    assert ("germanium", "combined_total") in totals
    assert ("germanium", "germanium_metal") not in totals


def test_the_goods_of_a_product_belong_to_its_commodity() -> None:
    assert all(product.goods in descendants(product.commodity) for product in products())
    oxide = find_product(Commodity("antimony"), "oxide")
    assert oxide is not None
    assert oxide.goods == "antimony_trioxide"


def test_every_product_has_each_of_its_forms_once() -> None:
    for product in products():
        assert product.forms
        assert len(set(product.forms)) == len(product.forms)


def test_every_shipped_list_of_origins_is_of_a_declared_product() -> None:
    series = {
        (planned.fact.series.commodity, planned.fact.series.form)
        for planned in shipped_events().values()
        if isinstance(planned.fact, Claimed) and planned.fact.series.statistic == "import_origins"
    }
    assert len(series) > 50
    assert [one for one in sorted(series, key=str) if one[1] and not find_product(*one)] == []
