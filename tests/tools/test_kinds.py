"""The lists of the kinds of tests name files that exist, and no file twice."""

from tests.support.kinds import DRILLS, QUICK, TESTS


def test_every_listed_file_exists_once() -> None:
    assert [name for name in (*DRILLS, *QUICK) if not (TESTS / name).exists()] == []
    assert len({*DRILLS, *QUICK}) == len(DRILLS) + len(QUICK)
