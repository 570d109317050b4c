"""Checks of a corpus: each rule is broken by one act and names it."""

from typing import Any

from tests.support.cases import each_case
from tracker.corpus.checks import find_problems
from tracker.corpus.files import Act, line_of
from tracker.domain.basics.codec import encode
from tracker.sources.readers.corpus_format import parse_line

SOURCE = {"publisher": "xinhua", "name": "Xinhua", "publishedOn": "2025-03-01"}
MOFCOM = "https://www.mofcom.gov.cn/a"
COPY = {
    "publisher": "public-repositories",
    "url": f"https://github.com/a/b/blob/{'0' * 40}/c.md",
    "copyOf": MOFCOM,
    "copySha256": "0" * 64,
}
CONTROL, ANNOUNCEMENTS = "policy/export-control/xx.toml", "policy/announcement/cn/2025.toml"


def act(file: str, **fields: Any) -> Act:
    """Return an act as in a file."""
    return Act(file, 1, parse_line(encode(line_of(file, {"source": SOURCE} | fields))))


def announced(
    id: str = "xx", *, file: str = CONTROL, commodities: tuple[str, ...] = ("gallium",)
) -> Act:
    """Return an instrument with one clause."""
    return act(
        file,
        id=id,
        type="ExportControl.Announced",
        on="2025-03-01",
        issuer="CN",
        direction="export",
        title="Licence",
        clauses=[{"id": "1", "measure": "licence", "commodities": commodities}],
    )


def repealed(id: str = "xx-end", on: str = "2025-05-01", **fields: Any) -> Act:
    """Return the end of the instrument."""
    return act(CONTROL, id=id, type="ExportControl.Repealed", on=on, repealedFrom=on, **fields)


def made(id: str = "said", **fields: Any) -> Act:
    """Return an announcement."""
    fields = {"on": "2025-03-01", "kind": "statement", "title": f"Title of {id}"} | fields
    return act(ANNOUNCEMENTS, id=id, type="Announcement.Made", **fields)


def problems(*acts: Act) -> list[str]:
    """Return the printed problems of some acts."""
    return list(map(str, find_problems(acts)))


def test_acts_that_keep_all_rules_have_no_problem() -> None:
    assert problems(announced(), repealed(), made(about=["export-control/xx"])) == []


def test_acts_stand_in_the_order_of_their_days() -> None:
    early = made("early", on="2025-01-01")
    assert problems(made(), early) == [
        f"{ANNOUNCEMENTS}: early: expected acts in the order of their days: said is later"
    ]


def test_an_id_stands_once_in_all_files() -> None:
    [problem] = problems(announced(), announced(file="policy/export-control/yy.toml"))
    assert problem.endswith("yy.toml: xx: id: expected an id of its own: xx has it")


def test_an_act_that_two_sources_tell_is_one_act() -> None:
    other = SOURCE | {"publisher": "reuters", "name": "Reuters"}
    [problem] = problems(
        announced(), repealed(), repealed("xx-again", source=other, note="So too.")
    )
    assert "xx-again: tells what xx-end tells: expected one act" in problem
    [problem] = problems(made(title="A"), made("again", title="A", source=other))
    assert "again: tells what said tells" in problem


def test_acts_that_differ_in_what_they_say_may_share_a_day() -> None:
    assert problems(made(title="A"), made("b", title="B")) == []


def test_the_rules_of_the_domain_hold() -> None:
    [problem] = problems(announced(), repealed(clauses=["2"]))
    assert "xx-end: clauses.0: export-control/xx has no clause '2'" in problem


@each_case(
    ("field", "value"),
    [
        ("about", ["export-control/none"]),
        ("conflictsWith", ["export-control/none"]),
        ("supersedes", ["export-control/none"]),
    ],
)
def test_links_lead_to_what_is_in_the_corpus(field: str, value: list[str]) -> None:
    assert problems(made(**{field: value})) == [
        f"{ANNOUNCEMENTS}: said: {field}: export-control/none is not in the corpus"
    ]


def test_links_between_alliances_are_looked_at() -> None:
    founded = {"type": "Alliance.Founded", "on": "2025-03-01", "name": "A"}
    part = act("policy/alliance/a.toml", id="a", partOf="b", **founded)
    assert "alliance/b is not in the corpus" in problems(part)[0]
    assert problems(part, act("policy/alliance/b.toml", id="b", **founded)) == []


def test_the_target_of_a_merged_instrument_is_in_the_corpus() -> None:
    merged = act(
        CONTROL,
        id="merged",
        type="ExportControl.Merged",
        on="2025-05-01",
        mergedFrom="2025-05-01",
        into="none",
    )
    assert "into: export-control/none is not in the corpus" in problems(announced(), merged)[0]


def test_actors_are_alliances_of_the_corpus() -> None:
    [problem] = problems(made(actors=["no-such-alliance"]))
    assert "no-such-alliance" in problem


def test_no_clause_names_a_commodity_beside_one_that_includes_it() -> None:
    [problem] = problems(announced(commodities=("rare_earths", "dysprosium")))
    assert "clause 1 names dysprosium beside " in problem


@each_case("checked", ["page", "data_file"])
def test_a_check_of_a_source_names_it(checked: str) -> None:
    seen = SOURCE | {"checked": checked}
    [problem] = problems(made(source=seen))
    assert f"source: expected a url or a reference of what was read ({checked})" in problem
    assert problems(made(source=seen | {"url": "https://example.org/a"})) == []
    assert problems(made(source=seen | {"reference": "No. 1"})) == []


@each_case(
    ("source", "flaw"),
    [
        (
            {"publisher": "nobody-knows", "url": MOFCOM},
            "expected a publisher of publishers.toml, got nobody-knows",
        ),
        (
            {"publisher": "mofcom", "url": "https://www.gvw.com/a"},
            "expected who published what was read: gvw, not mofcom",
        ),
        (
            {"publisher": "wto", "url": "https://www.wto.org/a", "primary": True},
            "expected no primary = true: wto is an authority of wto, not of CN",
        ),
        (
            {"publisher": "gvw", "url": "https://www.gvw.com/a", "primary": True},
            "expected no primary = true: gvw is an authority of nobody, not of CN",
        ),
        (
            COPY | {"copyOf": "https://www.whitehouse.gov/a"},
            "expected copyOf at an address of an authority of CN, got https://www.whitehouse.gov/a",
        ),
        (COPY, None),
        ({name: of for name, of in COPY.items() if name != "copySha256"}, None),
        ({"publisher": "mofcom", "url": MOFCOM, "primary": True}, None),
        ({"publisher": "wto", "url": "https://www.wto.org/a"}, None),
        ({"publisher": "mofcom", "url": MOFCOM}, None),
        ({"publisher": "wto", "url": "https://www.wto.org/a", "primary": False}, None),
        ({"publisher": "gvw", "url": "https://www.gvw.com/a"}, None),
    ],
)
def test_a_source_says_who_published_what_was_read_and_whose_text_it_is(
    source: dict[str, Any], flaw: str | None
) -> None:
    found = problems(made(source=SOURCE | {"checked": "page"} | source, actors=["CN"]))
    assert [problem.partition("source: ")[2] for problem in found] == ([flaw] if flaw else [])


@each_case(
    ("changed", "field"),
    [
        ({"copyOf": None}, "copyOf"),
        ({"url": f"https://www.gvw.com/{'0' * 40}/c", "copySha256": None}, "copySha256"),
        ({"url": "https://github.com/a/b/blob/main/c.md"}, "url"),
        ({"url": None, "reference": "c.md"}, "url"),
        ({"checked": "memory"}, "checked"),
    ],
)
def test_a_copy_without_its_fields_is_refused(changed: dict[str, Any], field: str) -> None:
    source = SOURCE | {"checked": "page"} | COPY | changed
    given = {name: of for name, of in source.items() if of}
    [problem] = problems(made(source=given, actors=["CN"]))
    assert f"source.{field}: expected " in problem


def test_other_sources_of_an_act_are_looked_at_as_well() -> None:
    [problem] = problems(made(moreSources=[SOURCE | {"publisher": "nobody-knows"}]))
    assert "got nobody-knows" in problem


def test_a_member_speaks_for_the_founding_of_its_alliance() -> None:
    source = SOURCE | {"publisher": "mofcom", "url": MOFCOM, "checked": "page", "primary": True}
    opening = {"type": "Alliance.Founded", "on": "2025-03-01", "name": "A", "source": source}
    assert problems(act("policy/alliance/a.toml", id="a", members=["CN"], **opening)) == []
    [problem] = problems(act("policy/alliance/a.toml", id="a", **opening))
    assert "mofcom is an authority of CN, not of a" in problem


def test_a_list_that_polls_continue_names_a_watched_source() -> None:
    def read(source: str) -> Act:
        return act(
            "policy/coverage/cn.toml",
            id="read",
            entity="coverage/cn-list",
            type="Coverage.Declared",
            on="2025-03-01",
            issuer="CN",
            acts="export_control",
            name="Announcements",
            last="2025-03-01",
            checkedBy="tests",
            watchedSource=source,
        )

    assert problems(read("cn-mofcom")) == []
    [problem] = problems(read("cn-mofcon"))
    assert problem.startswith("policy/coverage/cn.toml: read: watchedSource: expected a source of")
