"""Announcements of China's Ministry of Commerce: several addresses for one act, numbers with gaps."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.publishers.mofcom import (
    ENGLISH_LIST,
    LIST,
    OTHER_LIST,
    RARE_EARTHS,
    UNIT,
    Document,
    Mofcom,
    act,
    rare_earths,
)
from tests.support.publishers.publisher import Declared, Moved, Status, driven_by
from tests.watch.adapters.drive import DrivenPoll, drive, source_of
from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.basics.vocabulary import Checked
from tracker.domain.controls.export_control_acts import Announced
from tracker.review.finding import LeadCode
from tracker.watch.adapter import NotUnderstood
from tracker.watch.adapters.mofcom import ADAPTER

SITE = "https://www.mofcom.gov.cn"
TODAY = date(2025, 4, 20)


def poll(
    ministry: Mofcom,
    cursor: Any = None,
    today: date = TODAY,
    may_fail: bool = False,
    address: str = SITE + LIST,
    **options: Any,
) -> DrivenPoll:
    options = {"since": date(2025, 1, 2), "page_parameter": "pageNo", **options}
    settings = source_of(ADAPTER, address, options, publisher="mofcom", issuers=("CN",))
    return drive(
        ADAPTER, settings, driven_by(ministry), cursor=cursor, today=today, may_fail=may_fail
    )


def ministry_with(*documents: Document) -> Mofcom:
    ministry = Mofcom()
    for document in documents:
        ministry.add(document)
    return ministry


def test_a_control_is_proposed_where_the_text_says_so_unmistakably() -> None:
    [proposal] = poll(ministry_with(rare_earths())).facts
    fact = proposal.event.fact
    assert isinstance(fact, Announced)
    assert (proposal.event.stream, proposal.event.event_id) == (
        "export-control/cn-mofcom-2025-18",
        "cn-mofcom-2025-18",
    )
    assert (fact.on, fact.issuer, fact.instrument) == (
        "2025-04-04",
        "CN",
        "MOFCOM & GAC Announcement 2025 No. 18",
    )
    assert (
        fact.title == "商务部 海关总署公告2025年第18号 公布对部分中重稀土相关物项实施出口管制的决定"
    )
    [clause] = fact.clauses
    assert (clause.measure, clause.commodities, clause.in_force_from) == (
        Measure.DUAL_USE_LICENCE,
        ("samarium", "dysprosium"),
        "2025-04-04",
    )
    assert (fact.source.publisher, fact.source.checked, fact.source.is_primary) == (
        "mofcom",
        Checked.PAGE,
        True,
    )
    assert (proposal.origin.language, proposal.origin.number, proposal.origin.item) == (
        "zh",
        "MOFCOM & GAC Announcement 2025 No. 18",
        "announcement-2025-18",
    )


@each_case(
    "changes",
    [
        {"title": "商务部 海关总署公告2025年第18号 关于暂停对稀土相关物项实施出口管制的公告"},
        {"title": "商务部公告2025年第18号 公布对境外相关稀土物项实施出口管制的决定"},
        {"title": "商务部 某局公告2025年第18号 公布对部分中重稀土相关物项实施出口管制的决定"},
        {"body": RARE_EARTHS.replace("未经许可，不得出口", "应当登记").replace("申请许可", "报告")},
        {"body": RARE_EARTHS.replace("镝相关物项", "某新材料相关物项")},
        {"body": RARE_EARTHS.replace("自发布之日起", "自另行通知之日起")},
        {"body": RARE_EARTHS + "<p>第二条自2025年12月1日起实施。</p>"},
    ],
    ids=["suspends", "abroad", "issuer", "no licence", "unknown goods", "no day", "two days"],
)
def test_any_doubt_makes_it_a_lead(changes: dict[str, str]) -> None:
    found = poll(ministry_with(rare_earths(**changes)))
    assert found.facts == []
    assert [(lead.code, lead.origin.title) for lead in found.leads] == [
        (LeadCode.ANNOUNCED, changes.get("title", rare_earths().title))
    ]


def test_acts_of_other_matters_are_counted_and_nothing_is_said_of_them() -> None:
    found = poll(ministry_with(act(1, "2025-01-05"), act(2, "2025-01-06")))
    assert found.findings == []
    assert set(found.cursor["acts"]) == {"announcement-2025-1", "announcement-2025-2"}


def test_one_act_at_two_addresses_is_said_once_where_its_text_is_the_same() -> None:
    ministry = ministry_with(rare_earths())
    ministry.add(
        rare_earths(
            path="/zcfb/art/copy.html",
            body=RARE_EARTHS.replace("<p>", "<p style='text-indent:2em'> ").replace(
                "2025-04-04", ""
            ),
        ),
        OTHER_LIST,
    )
    found = poll(ministry, lists=[SITE + OTHER_LIST])
    assert found.items == ["announcement-2025-18"]
    assert len(found.cursor["acts"]["announcement-2025-18"][2]) == 2


def test_another_text_under_the_same_number_is_a_lead() -> None:
    ministry = ministry_with(rare_earths())
    ministry.add(
        rare_earths(path="/zcfb/art/copy.html", body=RARE_EARTHS.replace("镝", "铽")), OTHER_LIST
    )
    found = poll(ministry, lists=[SITE + OTHER_LIST])
    [lead] = found.leads
    assert lead.code is LeadCode.ANOTHER_BODY
    assert lead.origin.item.startswith("announcement-2025-18@")
    assert f"{SITE}/zwgk/zcfb/art/2025/art_18.html" in lead.reason
    assert len(found.facts) == 1


def test_an_english_page_is_a_further_address_of_its_act() -> None:
    ministry = ministry_with(rare_earths())
    english = "Announcement No.18 of 2025 of MOFCOM and GAC on export control of rare earths"
    ministry.add(
        Document(
            "/Policies/art/e18.html",
            english,
            "2025-04-05",
            "<p>It is decided to control items.</p>",
        ),
        ENGLISH_LIST,
    )
    found = poll(ministry, english_lists=[SITE + ENGLISH_LIST])
    [lead] = found.leads
    assert (lead.origin.item, lead.origin.language, lead.origin.title, lead.origin.number) == (
        "announcement-2025-18-en",
        "en",
        english,
        "MOFCOM & GAC Announcement 2025 No. 18",
    )


def test_numbers_between_others_are_gaps_once_their_neighbours_have_settled() -> None:
    ministry = ministry_with(act(1, "2025-04-01"), act(3, "2025-04-02"), act(5, "2025-04-19"))
    first = poll(ministry)
    assert [(lead.code, lead.origin.number) for lead in first.leads] == [
        (LeadCode.GAP, "MOFCOM Announcement 2025 No. 2")
    ]
    second = poll(ministry, first.cursor, date(2025, 4, 23))
    assert [lead.origin.item for lead in second.leads] == ["gap-2025-4"]
    ministry.add(act(2, "2025-04-23", "关于稀土的公告"))
    third = poll(ministry, second.cursor, date(2025, 4, 24))
    assert third.items == ["announcement-2025-2"]


def test_a_look_that_begins_with_the_year_expects_its_first_number() -> None:
    ministry = ministry_with(act(2, "2025-01-05"))
    assert poll(ministry, since=date(2025, 1, 1)).items == ["gap-2025-1"]
    assert poll(ministry, since=date(2025, 1, 2)).items == []


def test_a_number_may_stand_in_the_text_only_and_citations_of_other_acts_are_none() -> None:
    document = rare_earths(
        title="关于稀土出口管制的公告",
        body="<p>现将商务部公告2023年第23号修改。</p><p>【发布文号】公告2025年第9号</p>",
    )
    [lead] = poll(ministry_with(document)).leads
    assert lead.origin.number == "MOFCOM Announcement 2025 No. 9"


def test_lists_are_read_over_pages_back_to_the_first_day_and_then_to_what_is_known() -> None:
    ministry = Mofcom(page_size=5)
    ministry.add(act(90, "2024-12-20", year=2024))
    for serial in range(1, 13):
        ministry.add(act(serial, f"2025-02-{serial:02}"))
    first = poll(ministry, today=date(2025, 2, 13))
    assert len(first.cursor["lists"][SITE + LIST]["known"]) == 12
    assert [url for url in first.urls if LIST in url] == [
        f"{SITE}{LIST}{more}" for more in ("", "?pageNo=2", "?pageNo=3", "?pageNo=4")
    ]
    ministry.add(act(13, "2025-02-13"))
    second = poll(ministry, first.cursor, date(2025, 2, 14))
    assert [url for url in second.urls if LIST in url] == [
        f"{SITE}{LIST}",
        f"{SITE}{LIST}?pageNo=2",
    ]
    assert second.result is not None
    assert second.result.covers_until == date(2025, 2, 13)


def test_pages_of_lists_may_come_as_html_in_json() -> None:
    found = poll(ministry_with(rare_earths()), address=f"{SITE}{UNIT}?webId=8f&pageNo=1")
    assert [proposal.origin.item for proposal in found.facts] == ["announcement-2025-18"]


def test_a_first_look_goes_back_90_days_and_later_ones_keep_to_that() -> None:
    ministry = ministry_with(act(1, "2025-01-10"), act(3, "2025-01-25"), act(5, "2025-04-01"))
    first = poll(ministry, since=None)
    assert set(first.cursor["acts"]) == {"announcement-2025-3", "announcement-2025-5"}
    assert first.items == ["gap-2025-4"]
    second = poll(ministry, first.cursor, today=date(2025, 5, 20), since=None)
    assert (second.items, set(second.cursor["acts"])) == ([], set(first.cursor["acts"]))


def test_an_act_that_has_moved_is_read_where_it_is() -> None:
    ministry = ministry_with(rare_earths(path="/new/art/18.html"))
    ministry.lists[LIST].append(rare_earths(path="/old/art/18.html"))
    ministry.fail("/old/art/*", Moved("/new/art/18.html"))
    assert poll(ministry).items == ["announcement-2025-18"]


@each_case(
    ("encoding", "declared", "header"),
    [("gb18030", "gb2312", None), ("gb18030", None, "GB18030"), ("utf-8", None, "utf-8")],
)
def test_pages_are_read_in_their_declared_encoding(
    encoding: str, declared: str | None, header: str | None
) -> None:
    document = rare_earths()
    document.encoding, document.declared, document.header = encoding, declared, header
    [proposal] = poll(ministry_with(document)).facts
    assert proposal.origin.item == "announcement-2025-18"


def test_a_page_that_is_not_as_declared_is_not_read() -> None:
    ministry = ministry_with(act(1, "2025-04-01"), rare_earths())
    ministry.fail("*art_18*", Declared(charset="gb18030"))
    [lead] = [lead for lead in poll(ministry).leads if lead.code is LeadCode.NOT_READ]
    assert "its header declares gb18030, the page itself utf-8" in lead.reason
    assert lead.origin.sha256 is not None


def test_a_page_that_can_not_be_had_is_a_lead_and_asked_for_again() -> None:
    ministry = ministry_with(rare_earths())
    ministry.fail("*art_18*", Status(503), times=1)
    first = poll(ministry)
    assert [lead.code for lead in first.leads] == [LeadCode.NOT_READ]
    assert poll(ministry, first.cursor).items == ["announcement-2025-18"]


def test_an_act_that_can_not_be_had_is_asked_for_again_wherever_it_stands_in_the_list() -> None:
    ministry = Mofcom(page_size=2)
    for serial in range(1, 9):
        ministry.add(act(serial, f"2025-04-{serial:02}", "关于稀土的公告"))
    ministry.fail("*art_20250002*", Status(503))
    first = poll(ministry)
    assert first.result is not None
    assert first.result.covers_until == date(2025, 4, 1)
    assert LeadCode.GAP not in [lead.code for lead in first.leads]
    second = poll(ministry, first.cursor)
    assert [lead.code for lead in second.leads] == [LeadCode.NOT_READ]
    ministry.mend()
    third = poll(ministry, second.cursor)
    assert third.items == ["announcement-2025-2"]
    assert poll(ministry, third.cursor).findings == []


def test_an_act_that_can_never_be_had_is_given_up_and_its_number_is_a_gap() -> None:
    ministry = ministry_with(act(1, "2025-04-01"), act(2, "2025-04-02"), act(3, "2025-04-03"))
    ministry.fail("*art_20250002*", Status(503))
    cursor = None
    for _ in range(7):
        found = poll(ministry, cursor)
        cursor = found.cursor
    assert found.urls == [f"{SITE}{LIST}"]
    assert "2025-2" in found.cursor["gaps"]


@each_case(
    "frame",
    ["<div>{}</div><p>维护中", '<ul><li><a href="/zwgk/zcfb/art/1.html">新版</a></li></ul>'],
    ids=["no items", "items without days"],
)
def test_another_layout_of_the_list_fails_the_look(frame: str) -> None:
    ministry = Mofcom(frame=frame)
    ministry.add(rare_earths())
    if "{}" in frame:
        ministry.lists[LIST].clear()
    with pytest.raises(NotUnderstood) as failure:
        poll(ministry)
    assert failure.value.code == "LAYOUT_CHANGED"


def test_another_layout_of_all_pages_of_acts_fails_the_look() -> None:
    ministry = Mofcom()
    for serial in (1, 2):
        ministry.add(act(serial, "2025-04-01", frame="<section>{}</section>"))
    found = poll(ministry, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert [lead.code for lead in found.leads] == [LeadCode.NOT_READ] * 2


def test_an_act_that_is_gone_was_withdrawn() -> None:
    ministry = ministry_with(act(1, "2025-03-01"), rare_earths(), act(19, "2025-04-05"))
    first = poll(ministry)
    ministry.withdraw(rare_earths())
    second = poll(ministry, first.cursor)
    [lead] = second.leads
    assert (lead.code, lead.origin.title) == (LeadCode.WITHDRAWN, rare_earths().title[:100])
    assert poll(ministry, second.cursor).findings == []


def test_young_acts_are_read_again_once_a_day() -> None:
    ministry = ministry_with(rare_earths())
    first = poll(ministry, today=date(2025, 4, 4))
    ministry.lists[LIST][0].body = RARE_EARTHS.replace("镝", "铽")
    assert poll(ministry, first.cursor, date(2025, 4, 4)).findings == []
    [lead] = poll(ministry, first.cursor, date(2025, 4, 5)).leads
    assert lead.code is LeadCode.ANOTHER_BODY
    assert poll(ministry, first.cursor, date(2025, 4, 9)).findings == []


def test_a_long_list_is_read_in_several_looks_and_nothing_is_left_out() -> None:
    ministry = Mofcom()
    for serial in range(1, 141):
        day = date(2025, 1, 2) + timedelta(days=serial // 2)
        ministry.add(act(serial, f"{day}", "关于稀土的公告"))
    cursor: Any = None
    items: list[str] = []
    warnings: list[tuple[str, ...]] = []
    for _ in range(4):
        found = poll(ministry, cursor)
        cursor = found.cursor
        items += found.items
        assert found.result is not None
        warnings.append(found.result.warnings)
    assert sorted(items) == sorted(f"announcement-2025-{n}" for n in range(1, 141))
    assert warnings == [
        ("80 acts are left for the next poll",),
        ("20 acts are left for the next poll",),
        (),
        (),
    ]
