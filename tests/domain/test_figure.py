"""Figures: claims by publisher and edition, side by side, and which of them to use."""

from typing import Any

import pytest

from projections.analysis.claims import choose
from tests.support.cases import each_case
from tests.support.fact_builders import claimed, decided_facts, fact, retracted, source, state
from tracker.domain.basics.codec import from_builtins
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_recordable
from tracker.domain.figures.figure import Claim, FigureState
from tracker.domain.figures.figure_facts import Claimed, Preferred
from tracker.errors import InvalidInput, NotFound, TrackerError

STREAM = "figure/rare_earths/CN/production/mine/2023"
RESERVES = "figure/rare_earths/CN/reserves"

usgs_2024 = claimed(240_000, edition="MCS 2024", published_on="2024-01-31")
usgs_2025 = claimed(255_000, edition="MCS 2025", published_on="2025-01-31")
bgs = claimed(250_000, publisher="bgs", edition="WMP 2019-23", published_on="2025-02-15")


def preferred(on: str, publisher: str, **more: Any) -> Preferred:
    """Return a judgement."""
    return fact(Preferred, on, **{"publisher": publisher, "reason": "it states its method", **more})


def reserves(value: int, edition: str, published_on: str, **more: Any) -> Claimed:
    """Return a claim on reserves."""
    return from_builtins(
        Claimed,
        {
            "series": {"commodity": "rare_earths", "place": "CN", "statistic": "reserves"},
            "edition": edition,
            "quantity": {"value": value, "unit": "t", "basis": "REO"},
            "source": source("usgs", published_on),
            **more,
        },
    )


def figure(day: str, *facts: Fact, stream: str = STREAM) -> FigureState:
    """Return the figure on a day, from these facts."""
    found: FigureState | None = state(decided_facts(stream, *facts), stream, day)
    assert found
    return found


def use(day: str, *facts: Fact) -> Claim:
    """Return the preferred claim on a day."""
    return choose(figure(day, *facts), ()).claim


def refusal(*facts: Fact, stream: str = STREAM) -> TrackerError:
    """Return the error of the last of these facts."""
    decided_facts(stream, *facts[:-1])
    with pytest.raises(TrackerError) as caught:
        decided_facts(stream, *facts)
    return caught.value


def test_a_figure_is_known_from_the_day_its_edition_was_published() -> None:
    assert state(decided_facts(STREAM, usgs_2024), STREAM, "2024-01-30") is None
    told_on_the_day = figure("2024-01-31", usgs_2024)
    assert told_on_the_day.series.period == 2023
    assert [(str(c.quantity.value), c.edition) for c in told_on_the_day.claims] == [
        ("240000", "MCS 2024")
    ]


def test_a_later_edition_restates_a_figure_and_overwrites_nothing() -> None:
    before, after = (figure(day, usgs_2024, usgs_2025) for day in ("2025-01-30", "2025-01-31"))
    assert [(c.edition, c.latest) for c in before.claims] == [("MCS 2024", True)]
    assert [(c.edition, c.latest) for c in after.claims] == [
        ("MCS 2024", False),
        ("MCS 2025", True),
    ]
    assert use("2025-01-31", usgs_2024, usgs_2025).quantity.value == 255_000


def test_an_edition_that_is_recorded_late_takes_its_place_by_publication() -> None:
    told = figure("2025-01-31", usgs_2025, usgs_2024)
    assert [(c.edition, c.position) for c in told.claims] == [("MCS 2024", 2), ("MCS 2025", 1)]
    assert use("2025-01-31", usgs_2025, usgs_2024).edition == "MCS 2025"


def test_an_edition_can_have_versions_of_which_the_last_one_counts() -> None:
    first = claimed(240_000, version="1.0", published_on="2024-01-31")
    revised = claimed(241_000, version="1.1", published_on="2024-03-05")
    told = figure("2024-03-05", first, revised)
    assert [(c.edition_version, c.latest) for c in told.claims] == [("1.0", False), ("1.1", True)]


@each_case("again", [usgs_2024, claimed(1, published_on="2024-02-02")])
def test_a_publisher_has_one_claim_an_edition(again: Claimed) -> None:
    error = refusal(usgs_2024, again)
    assert (error.code, error.path) == ("DUPLICATE_CLAIM", ("edition",))


def test_a_claim_that_was_misread_is_retracted_and_claimed_anew() -> None:
    told = figure("2024-01-31", usgs_2024, retracted("e1"), claimed(210_000))
    assert [c.quantity.value for c in told.claims] == [210_000]


def test_claims_of_other_publishers_stand_beside_each_other() -> None:
    told = figure("2025-02-15", usgs_2025, bgs)
    assert [(c.publisher, c.latest) for c in told.claims] == [("usgs", True), ("bgs", True)]


def test_without_a_judgement_the_publisher_who_was_first_is_preferred() -> None:
    assert use("2025-02-15", bgs, usgs_2024, usgs_2025).edition == "MCS 2025"


def test_a_recorded_judgement_prefers_another_publisher_and_gives_its_reason() -> None:
    facts = usgs_2025, bgs, preferred("2025-06-01", "bgs")
    assert use("2025-05-31", *facts).publisher == "usgs"
    assert use("2025-06-01", *facts).publisher == "bgs"
    assert figure("2025-05-31", *facts).judgement is None
    judgement = figure("2025-06-01", *facts).judgement
    assert judgement is not None
    assert (judgement.prefers, judgement.reason) == ("e2", "it states its method")
    assert (judgement.event.event_id, judgement.event.source.publisher) == ("e3", "mofcom")


def test_the_last_judgement_counts_and_lasts_through_new_editions() -> None:
    facts = (
        usgs_2024,
        bgs,
        preferred("2025-06-01", "bgs"),
        preferred("2025-07-01", "usgs"),
        claimed(256_000, edition="MCS 2026", published_on="2026-01-31"),
    )
    assert use("2025-06-30", *facts).publisher == "bgs"
    assert use("2026-01-31", *facts).edition == "MCS 2026"


def test_a_judgement_counts_only_while_its_publisher_has_a_claim() -> None:
    facts = usgs_2025, bgs, preferred("2025-06-01", "bgs"), retracted("e2")
    assert use("2025-06-01", *facts).publisher == "usgs"
    assert figure("2025-06-01", *facts).judgement is None


def test_a_judgement_can_mean_one_edition_restated_or_not() -> None:
    facts = usgs_2024, usgs_2025, preferred("2025-06-01", "usgs", edition="MCS 2024")
    assert use("2025-05-31", *facts).edition == "MCS 2025"
    assert use("2025-06-01", *facts).edition == "MCS 2024"


def test_a_judgement_on_an_edition_means_its_last_version_unless_it_names_one() -> None:
    first = claimed(240_000, version="1.0", published_on="2024-01-31")
    revised = claimed(241_000, version="1.1", published_on="2024-03-05")
    on = preferred("2024-04-01", "usgs", edition="MCS 2024")
    assert use("2024-04-01", first, revised, usgs_2025, on).edition_version == "1.1"
    on = preferred("2024-04-01", "usgs", edition="MCS 2024", editionVersion="1.0")
    assert use("2024-04-01", first, revised, usgs_2025, on).edition_version == "1.0"


def test_a_judgement_whose_claim_is_retracted_gives_way_to_the_one_before() -> None:
    facts = (
        usgs_2024,
        usgs_2025,
        bgs,
        preferred("2025-06-01", "bgs"),
        preferred("2025-07-01", "usgs", edition="MCS 2024"),
    )
    assert use("2025-07-01", *facts).edition == "MCS 2024"
    assert use("2025-07-01", *facts, retracted("e1")).publisher == "bgs"


@each_case("more", [{"edition": "MCS 1999"}, {"edition": "MCS 2024", "editionVersion": "9"}])
def test_a_judgement_means_a_claim_that_there_is(more: dict[str, str]) -> None:
    error = refusal(usgs_2024, preferred("2025-06-01", "usgs", **more))
    assert (error.code, error.path) == ("INVALID_INPUT", ("edition",))


@each_case(("more", "path"), [({"reason": " "}, "reason"), ({"editionVersion": "1.0"}, "edition")])
def test_a_judgement_has_a_reason_and_no_version_without_its_edition(
    more: dict[str, str], path: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        preferred("2025-06-01", "usgs", **more)
    assert caught.value.path == (path,)


def test_a_judgement_names_a_publisher_with_a_claim() -> None:
    error = refusal(usgs_2024, preferred("2025-06-01", "iea"))
    assert (error.code, error.path) == ("INVALID_INPUT", ("publisher",))


def test_nothing_is_preferred_where_nothing_is_claimed() -> None:
    assert isinstance(refusal(preferred("2025-06-01", "usgs")), NotFound)


def test_a_claim_belongs_to_the_figure_that_its_series_names() -> None:
    error = refusal(claimed(1, year=2022))
    assert (error.code, error.path) == ("INVALID_INPUT", ("series",))


def test_a_withheld_number_is_a_claim_without_a_value() -> None:
    withheld = from_builtins(
        Claimed,
        {
            "series": {
                "commodity": "rare_earths",
                "place": "CN",
                "statistic": "production",
                "stage": "mine",
                "period": 2023,
            },
            "edition": "MCS 2026",
            "quantity": {"unit": "t", "qualifier": "withheld"},
            "source": source("usgs", "2026-01-31"),
        },
    )
    told = use("2026-01-31", usgs_2025, withheld).quantity
    assert (told.value, told.qualifier) == (None, "withheld")


def test_reserves_are_one_figure_that_every_edition_states_anew() -> None:
    facts = (
        reserves(44_000_000, "MCS 2024", "2024-01-31"),
        reserves(44_000_000, "MCS 2025", "2025-01-31", asOf=2024),
    )
    told = figure("2025-01-31", *facts, stream=RESERVES)
    assert told.series.period is None
    assert [(c.edition, c.as_of, c.latest) for c in told.claims] == [
        ("MCS 2024", None, False),
        ("MCS 2025", 2024, True),
    ]


def test_no_figure_is_of_a_state_that_had_ended() -> None:
    check_recordable(claimed(1, place="SUHH", year=1990))
    with pytest.raises(InvalidInput) as refused:
        check_recordable(claimed(1, place="SUHH", year=1992))
    assert (refused.value.code, refused.value.path) == ("STATE_HAS_ENDED", ("series", "place"))
