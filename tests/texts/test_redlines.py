"""Units of texts of acts, and the differences between two versions."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tracker.domain.basics.vocabulary import TextChange
from tracker.errors import InvalidInput
from tracker.texts.redline import Redline, compare_texts
from tracker.texts.units import split_into_units

REGULATION = """# Regulation on smelters

Having regard to the Treaty,

Whereas:

- (1) Smelters melt.

- (2) Refiners refine.

HAVE ADOPTED THIS REGULATION:

#### Article 1

##### Scope

1. This Regulation covers smelters [^a1].

2. It does not cover:

- (a) scrap;

- (h) ash;

- (i) slag;

- (j) for dust:

- (i) coarse dust;

- (ii) fine dust.

Article 2 shall not apply to dust.

#### Article 2

Smelters shall report each year.

## ANNEX I

### Part A: Ores

| Ore | code |
| --- | --- |
| Tin ores | 2609 00 00 |
"""
ANNOUNCEMENT = """商务部公告

一、禁止出口镓。

二、下列物项须经许可：

（一）锗；

（十二）锑。

附件1

清单
"""
LAW = """## 第一章　总则

### 第一条　

为了维护国家安全。

### 第十条

1. （一）影响；

### 第二十一条之一

其他。
"""
ORDER = """Section 1.  Purpose. (a) We act.
Sec. 2.  Duties. (a) The Secretary shall:
(1) report; and
(2) publish.
(b) Nothing else.
"""


@each_case(
    ("text", "ids"),
    [
        (
            REGULATION,
            "beginning recital-1 recital-2 adoption art-1 art-1/1 art-1/2 art-1/2/a art-1/2/h art-1/2/i"
            " art-1/2/j art-1/2/j/i art-1/2/j/ii art-2 annex-i annex-i/part-a",
        ),
        (ANNOUNCEMENT, "beginning item-1 item-2 item-2/1 item-2/12 annex-1"),
        (LAW, "chapter-1 art-1 art-10 art-10/1 art-21-1"),
        (ORDER, "sec-1 sec-2 sec-2/a/1 sec-2/a/2 sec-2/b"),
    ],
    ids=["regulation", "announcement", "law", "order"],
)
def test_units_have_the_numbers_that_the_text_prints(text: str, ids: str) -> None:
    assert [unit.id for unit in split_into_units(text)] == ids.split()


def test_units_are_the_whole_text_and_have_different_ids() -> None:
    text = REGULATION + REGULATION
    units = split_into_units(text)
    assert "".join(unit.text for unit in units) == text
    assert len({unit.id for unit in units}) == len(units)
    assert "art-2~2" in {unit.id for unit in units}


def changed(old: str, new: str) -> dict[str, str]:
    """Return the kind of change of each changed unit."""
    return {unit.id: unit.change.value for unit in compare_texts(old, new).changes()}


def test_a_redline_names_added_removed_and_replaced_units_and_words() -> None:
    new = REGULATION.replace("each year", "every two years").replace(
        "- (2) Refiners refine.\n\n", ""
    )
    new = new.replace("## ANNEX I\n", "#### Article 3\n\nIt enters into force.\n\n## ANNEX I\n")
    assert changed(REGULATION, new) == {
        "recital-2": "removed",
        "art-2": "replaced",
        "art-3": "added",
    }
    [article] = [unit for unit in compare_texts(REGULATION, new).changes() if unit.id == "art-2"]
    runs = [
        (run.old.strip(), run.new.strip()) for run in article.runs if run.change != TextChange.SAME
    ]
    assert runs == [("each year", "every two years")]


@each_case(
    ("old", "new"),
    [
        ("‘tin’ – ore", "“tin” - ore".replace("“", "'").replace("”", "'")),
        ("tin  ore\n", "tin ore\n\n"),
        ("- (a) tin", "(a) tin"),
        ("covers *tin* [^ntr1-L_2017]", "covers tin [^2]"),
        ("# Article 1\n\ntin", "Article 1\ntin"),
        ("| tin | ore |\n| --- | --- |", "tin ore"),
        ("see [OJ L 1](http://a.test/x)", "see OJ L 1"),
        ("1. （一）锗；", "（一）锗；"),
        ("5\u00a0000 kg", "5 000 kg"),
    ],
)
def test_formatting_does_not_count_as_a_change(old: str, new: str) -> None:
    assert old != new
    assert changed(old, new) == {}
    assert compare_texts(old, new).apply(old) == new


@each_case(
    ("old", "new"),
    [
        ("99,5 %", "99,9 %"),
        ("shall report", "shall not report"),
        ("镓和锗", "镓或锗"),
        ("(a) tin", "(b) tin"),
        ("1 July 2020", "1 June 2020"),
        ("tin, ore", "tin ore"),
        ("-5 °C", "5 °C"),
    ],
)
def test_each_word_number_and_sign_counts(old: str, new: str) -> None:
    assert changed(old, new)


def test_a_unit_with_few_equal_words_is_replaced_as_a_whole() -> None:
    [unit] = compare_texts(
        "Tin and zinc are free of duty.", "Lead and ore need a licence."
    ).changes()
    assert [run.change for run in unit.runs] == [TextChange.REPLACED]


def test_a_long_unit_is_replaced_from_its_first_change_on() -> None:
    old = "tin " * 3_000
    new = f"{old[:400]}zinc {old[400:]}"
    [unit] = compare_texts(old, new).changes()
    assert [(run.change, len(run.old)) for run in unit.runs] == [
        (TextChange.SAME, 400),
        (TextChange.REPLACED, 11_600),
    ]


def test_a_redline_of_another_text_is_refused() -> None:
    redline = compare_texts("tin", "zinc")
    with pytest.raises(InvalidInput) as raised:
        redline.apply("lead")
    assert raised.value.code == "OTHER_TEXT"


LINES = st.sampled_from(
    [*REGULATION.splitlines(), *ANNOUNCEMENT.splitlines(), "", "— tin", "\u2028"]
)
TEXTS = st.one_of(
    st.lists(LINES, max_size=30).map("\n".join),
    st.text(max_size=60),
    st.text("12ab()（）一、.-*#|[^] \n\r\tArticleANNEX", max_size=60),
)


@given(TEXTS, TEXTS)
def test_a_redline_applied_to_the_older_text_gives_the_newer_one(old: str, new: str) -> None:
    stored = msgspec.json.encode(compare_texts(old, new))
    redline = msgspec.json.decode(stored, type=Redline)
    assert redline.apply(old) == new


@given(TEXTS)
def test_a_text_has_no_difference_from_itself(text: str) -> None:
    assert {unit.change for unit in compare_texts(text, text).units} <= {TextChange.SAME}


@given(TEXTS, st.data())
def test_a_word_inserted_anywhere_is_one_added_run(text: str, data: st.DataObject) -> None:
    lines = text.splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines)))
    new = "".join([*lines[:at], "zyxwv uts\n", *lines[at:]])
    runs = [run for unit in compare_texts(text, new).changes() for run in unit.runs]
    words = json.dumps(
        [run.new for run in runs if run.change not in {TextChange.SAME, TextChange.FORMATTED}]
    )
    assert "zyxwv" in words
