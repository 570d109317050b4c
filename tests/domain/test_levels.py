"""Levels of the fields of a fact, by its sources."""

from tests.support.cases import each_case
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Checked, EvidenceLevel
from tracker.domain.entities.fact import Source
from tracker.domain.entities.levels import level_of

HOME = "https://www.mofcom.gov.cn/a"


def copy(repository: str, sha256: str | None = "0" * 64, *lacks: str) -> Source:
    """Return a copy of a page of a ministry."""
    return Source(
        publisher="public-repositories",
        name="Act",
        published_on=PartialDate("2025-01-01"),
        url=f"https://github.com/{repository}/blob/{'a' * 40}/act.md",
        checked=Checked.PAGE,
        copy_of=HOME,
        copy_sha256=sha256,
        unsupported=lacks,
    )


MEMORY = Source(publisher="mofcom", name="Act", published_on=PartialDate("2025-01-01"), url=HOME)
TWO, ONE = EvidenceLevel.TWO_COPIES_AGREE, EvidenceLevel.ISSUER_TEXT_COPY


@each_case(
    ("sources", "level"),
    [
        ([MEMORY], EvidenceLevel.MEMORY),
        ([MEMORY, copy("a/b")], ONE),
        ([copy("a/b"), copy("c/d")], TWO),
        ([copy("a/b"), copy("a/b")], ONE),
        ([copy("a/b"), copy("c/d", "1" * 64)], ONE),
        ([copy("a/b", None)], ONE),
        ([copy("a/b", None), copy("c/d", None)], ONE),
        ([copy("a/b"), copy("c/d", "0" * 64, "clauses.0")], ONE),
        ([copy("a/b", "0" * 64, "clauses.0.items.1.hs")], EvidenceLevel.MEMORY),
        ([copy("a/b", "0" * 64, "clauses.0.item", "clauses.1")], ONE),
    ],
)
def test_a_field_has_the_best_level_of_the_sources_that_contain_all_of_it(
    sources: list[Source], level: EvidenceLevel
) -> None:
    assert level_of(sources, "clauses.0.items") is level
