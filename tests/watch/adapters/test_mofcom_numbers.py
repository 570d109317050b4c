"""Numbers of announcements are read from any spelling, and from hostile spellings at once."""

import time

from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tracker.watch.adapters.mofcom.numbers import ActNumber, number_in

SPACES = st.text(" \t\u3000", max_size=3)


@given(
    st.builds(
        "".join,
        st.tuples(
            *(st.sampled_from(("商务部", "")), st.just("公告"), SPACES),
            *(st.sampled_from(("", "[", "(", "〔")), SPACES, st.sampled_from(("2025", "２０２５"))),
            *(SPACES, st.sampled_from(("", "]", ")", "〕")), SPACES, st.sampled_from(("年", ""))),
            *(
                SPACES,
                st.sampled_from(("第", " ")),
                SPACES,
                st.sampled_from(("18", "0018")),
                SPACES,
            ),
            st.just("号"),
        ),
    )
)
def test_a_number_is_read_however_it_is_spaced_and_bracketed(title: str) -> None:
    assert number_in(title) == ActNumber(2025, 18)


@each_case("title", ["公告{}2025{}x", "公告{}[{}2025{}]{}年{}第{}18{}x"])
def test_a_title_with_many_spaces_is_read_at_once(title: str) -> None:
    started = time.process_time()
    assert number_in(title.replace("{}", " " * 100)) is None
    assert time.process_time() - started < 1
