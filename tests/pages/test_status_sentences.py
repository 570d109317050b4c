"""Status sentences of instruments: no more than their statuses."""

from datetime import date
from typing import Any

from schema.pages.controls.rule_words import subject
from schema.pages.controls.status_sentences import heading, leads
from tests.support.cases import each_case

DAY = date(2026, 11, 25)


def clause(key: str, *periods: tuple[str, str, str | None], **more: Any) -> dict[str, Any]:
    """Return a clause as from the API, with its status on 25 November 2026."""
    statuses = [{"status": status, "from": first, "until": last} for status, first, last in periods]
    current = next(
        each["status"]
        for each in statuses
        if each["from"] <= "2026-11-25" and (each["until"] or "9") >= "2026-11-25"
    )
    return {
        "key": key,
        "measure": "BAN",
        "status": current,
        "covers": "GOODS",
        **dict.fromkeys(("forms", "items", "exemptItems", "exceptions", "exemptPreferences"), ()),
        **dict.fromkeys(("entities", "exporters", "partialSuspensions"), ()),
        **dict.fromkeys(("endUse", "entityCount", "exemptions")),
        "itemsComplete": False,
        "territory": "HOME",
        "commodities": [{"key": "gallium", "name": "Gallium"}],
        "destinations": [{"code": "US", "name": "United States"}],
        "origins": [],
        "statuses": statuses,
        "confirmation": "CONFIRMED",
        "decisionDue": None,
        "statusStatement": "In force.",
        **more,
    }


def control(*clauses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "title": "Dual-use exports to the US",
        "direction": "EXPORT",
        "issuer": {"code": "CN", "name": "China"},
        "clauses": list(clauses),
        **more,
    }


def texts(of: dict[str, Any], day: date) -> list[str]:
    """Return the first lines of an instrument."""
    return [one.text for one in leads(of, day)]


RESTS = (
    ("IN_FORCE", "2024-12-03", "2025-11-08"),
    ("SUSPENDED", "2025-11-09", "2026-11-27"),
    ("IN_FORCE", "2026-11-28", None),
)
APPLIES = (("IN_FORCE", "2024-12-03", None),)


def test_one_status_of_all_clauses_is_the_sentence_and_what_happens_next_by_itself() -> None:
    assert heading(control(clause("1", *RESTS), clause("2", *RESTS)), DAY) == (
        "China’s ban on exports of gallium to the United States is suspended,"
        " and returns on 28\u00a0Nov\u00a02026"
    )


def test_clauses_that_stand_apart_are_counted() -> None:
    found = heading(control(clause("1", *APPLIES), clause("2", *RESTS), clause("3", *RESTS)), DAY)
    assert found.endswith(
        ": 1\u00a0clause in force; 2 suspended, which return on 28\u00a0Nov\u00a02026"
    )


@each_case(
    ("periods", "end"),
    [
        ([("ANNOUNCED", "2026-01-01", None)], " is announced"),
        (
            [("ANNOUNCED", "2026-01-01", "2028-12-31"), ("IN_FORCE", "2029-01-01", None)],
            " is announced, and takes effect on 1\u00a0Jan\u00a02029",
        ),
        (
            [("IN_FORCE", "2026-01-01", "2026-12-31"), ("EXPIRED", "2027-01-01", None)],
            " is in force, and expires after 31\u00a0Dec\u00a02026",
        ),
        (
            [("IN_FORCE", "2020-01-01", "2020-12-31"), ("EXPIRED", "2021-01-01", None)],
            " has expired",
        ),
        ([("SUSPENDED", "2020-01-01", None)], " is suspended"),
        ([("WITHDRAWN", "2020-01-01", None)], " is withdrawn"),
        ([("NEGOTIATED", "2020-01-01", None)], " is negotiated"),
    ],
)
def test_a_sentence_says_the_status_and_only_what_is_known_to_follow(
    periods: list[tuple[str, str, str | None]], end: str
) -> None:
    assert heading(control(clause("1", *periods)), DAY).endswith(f"to the United States{end}")


def test_the_places_of_all_clauses_are_named() -> None:
    elsewhere = clause("2", *APPLIES, destinations=[{"code": "JP", "name": "Japan"}])
    everywhere = clause("3", *APPLIES, destinations=())
    of = "China’s ban on exports of gallium"
    both = heading(control(clause("1", *APPLIES), elsewhere), DAY)
    assert both == f"{of} to Japan and the United States is in force"
    assert heading(control(elsewhere, everywhere), DAY) == f"{of} is in force"


@each_case(
    ("limit", "rule"),
    [
        ({"forms": ["ORE"]}, "ban on exports of gallium as ore to the United States"),
        ({"covers": "TECHNOLOGY"}, "ban on exports of technology for gallium to the United States"),
        ({"endUse": "arms"}, "ban on exports of gallium to the United States for arms"),
        (
            {"entities": ["A", "B", "C", "D"]},
            "ban on exports of gallium to 4\u00a0listed firms in the United States",
        ),
        (
            {"entityCount": 9},
            "ban on exports of gallium to 9\u00a0listed firms in the United States",
        ),
        ({"exemptions": "samples"}, "ban on certain exports of gallium to the United States"),
        (
            {"items": [{"name": "Wafers", "forms": []}]},
            "ban on certain exports of gallium to the United States",
        ),
        (
            {"items": [{"name": "All", "forms": []}], "itemsComplete": True},
            "ban on exports of gallium to the United States",
        ),
        (
            {"exceptions": [{"exempt": True}]},
            "ban on certain exports of gallium to the United States",
        ),
        ({"territory": "ONLY_ABROAD"}, "ban on certain exports of gallium to the United States"),
    ],
)
def test_a_limit_is_named_or_the_title_says_certain(limit: dict[str, Any], rule: str) -> None:
    assert heading(control(clause("1", *APPLIES, **limit)), DAY) == f"China’s {rule} is in force"


def test_clauses_that_differ_in_two_limits_are_certain_ones() -> None:
    nickel = [{"key": "nickel", "name": "Nickel"}]
    review = clause("2", *APPLIES, measure="REVIEW", commodities=nickel)
    assert heading(control(clause("1", *APPLIES), review), DAY) == (
        "China’s ban and stricter review of certain exports of gallium and nickel to the United States are"
        " in force"
    )


def test_many_forms_are_certain_goods() -> None:
    forms = ["ALLOY", "ARTICLE", "COMPOUND", "INTERMEDIATE", "METAL", "OXIDE", "SCRAP"]
    many_forms = heading(control(clause("1", *APPLIES, forms=forms)), DAY)
    assert (
        many_forms == "China’s ban on certain exports of gallium to the United States is in force"
    )
    few = heading(control(clause("1", *APPLIES, forms=forms[:2])), DAY)
    assert "ban on exports of gallium as alloy or article to the United States" in few


def test_imports_come_from_places_and_the_issuer_has_its_article() -> None:
    tariff = clause(
        "1", *APPLIES, measure="TARIFF", destinations=[], origins=[{"code": "CN", "name": "China"}]
    )
    issuer = {"code": "US", "name": "United States"}
    assert heading(control(tariff, direction="IMPORT", issuer=issuer), DAY) == (
        "The United States’ tariff on imports of gallium from China is in force"
    )


def test_each_group_of_clauses_has_its_sentence() -> None:
    assert texts(control(clause("1", *APPLIES), clause("2", *RESTS), clause("3", *RESTS)), DAY) == [
        "The clause on gallium: In force since 3\u00a0Dec\u00a02024.",
        "2\u00a0clauses on gallium: Suspended until 27\u00a0Nov\u00a02026,"
        " and return on 28\u00a0Nov\u00a02026.",
    ]


def test_two_sentences_on_the_same_goods_name_the_rules_that_differ() -> None:
    quota = clause("2", *RESTS, measure="QUOTA", destinations=[])
    assert [one.partition(":")[0] for one in texts(control(clause("1", *APPLIES), quota), DAY)] == [
        "Ban on exports of gallium to the United States",
        "Quota on exports of gallium",
    ]


def test_licensing_is_named_once_and_firms_are_not_called_buyers() -> None:
    kinds = [clause("1", *APPLIES, measure=one) for one in ("LICENCE", "DUAL_USE_LICENCE")]
    text = heading(control(*kinds, clause("2", *APPLIES, measure="TRADE_LICENCE")), DAY)
    assert text == "China’s licensing of exports of gallium to the United States is in force"
    of_firm = clause("1", *APPLIES, entities=["A Ltd"], destinations=[])
    assert subject(control(of_firm)) == "China’s ban on exports of gallium involving A Ltd"


def test_a_duty_whose_investigation_is_concluded_does_not_apply() -> None:
    over = ("CONCLUDED", "2025-03-31", None)
    for measure, end in (
        ("TARIFF", " does not apply: its investigation is concluded"),
        ("INVESTIGATION", " is concluded"),
    ):
        text = heading(control(clause("1", over, measure=measure)), DAY)
        assert text.endswith(f"to the United States{end}")


@each_case(
    ("periods", "sentence"),
    [
        (
            [("IN_FORCE", "2020-01-01", "2020-12-31"), ("EXPIRED", "2021-01-01", None)],
            "The clause on gallium: Expired, with 31\u00a0Dec\u00a02020 as the last day.",
        ),
        (
            [("IN_FORCE", "2026-01-01", "2026-12-31"), ("EXPIRED", "2027-01-01", None)],
            "The clause on gallium: In force since 1\u00a0Jan\u00a02026,"
            " and expires after 31\u00a0Dec\u00a02026.",
        ),
        (
            [("ANNOUNCED", "2026-01-01", "2028-12-31"), ("IN_FORCE", "2029-01-01", None)],
            "The clause on gallium: Announced since 1\u00a0Jan\u00a02026,"
            " and takes effect on 1\u00a0Jan\u00a02029.",
        ),
        (
            [("SUSPENDED", "2026-01-01", None)],
            "The clause on gallium: Suspended until further notice.",
        ),
    ],
)
def test_a_sentence_of_a_clause_has_its_days(
    periods: list[tuple[str, str, str | None]], sentence: str
) -> None:
    assert texts(control(clause("1", *periods)), DAY) == [sentence]


def test_an_instrument_without_clauses_has_its_title() -> None:
    assert heading(control(), DAY) == "Dual-use exports to the US"


BACK = (("SUSPENDED", "2025-11-09", "2026-11-10"), ("IN_FORCE", "2026-11-11", None))


def test_a_status_that_is_not_confirmed_says_so_in_the_heading_and_below_it() -> None:
    statement = "In force by its own terms since 11 November 2026 (not confirmed)."
    back = {"confirmation": "BY_TERMS", "statusStatement": statement}
    both = control(clause("1", *BACK, **back), clause("2", *BACK, **back))
    assert heading(both, DAY).endswith(" is in force by its own terms (not confirmed)")
    of_both = statement.replace("its own", "their own")
    assert texts(both, DAY) == [f"2\u00a0clauses on gallium: {of_both}"]


def test_a_contradicted_clause_stands_apart_from_a_confirmed_one() -> None:
    statement = "In force by its own terms since 11 November 2026. The ministry stated otherwise."
    contradicted = {"confirmation": "CONTRADICTED", "statusStatement": statement}
    both = control(clause("1", *APPLIES), clause("2", *BACK, **contradicted))
    assert heading(both, DAY).endswith(
        ": 1\u00a0clause in force; 1 in force by its own terms, which a statement contradicts"
    )
    assert texts(both, DAY)[1] == f"The clause on gallium: {statement}"


def test_many_places_are_counted_and_all_goods_of_certain_imports_left_out() -> None:
    many = [{"code": "", "name": f"Place {number}"} for number in range(6)]
    goods = [{"key": "all_goods", "name": "All goods"}]
    one = clause("1", *APPLIES, destinations=many, commodities=goods, exemptions="samples")
    assert subject(control(one)) == "China’s ban on certain exports to 6 places"
    uses = (clause("1", *APPLIES, endUse="arms"), clause("2", *APPLIES, endUse="as in clause 1"))
    assert subject(control(*uses)).endswith("of gallium to the United States for arms")
