"""Paths that robots.txt forbids are not requested, for any size and byte order mark."""

import time

from tests.support.cases import each_case
from tests.support.publishers.publisher import Page, Publisher
from tests.web.test_fetcher import PAGE, failure, fetched
from tracker.web.robots import MAX_ROBOTS_BYTES

RULES = b"User-agent: *\nDisallow: /act\n"
COMMENT = b"# " + b"-" * 61 + b"\n"


class Site(Publisher):
    """A publisher with some bytes as its robots.txt."""

    def __init__(self, robots: bytes):
        super().__init__({"/act": PAGE, "/other": PAGE})
        self.fail("/robots.txt", lambda asked, page: Page(robots, "text/plain"))


@each_case(
    ("comments", "rules", "more"),
    [
        (0, b"\xef\xbb\xbf" + RULES, 0),
        (0, RULES.replace(b"\n", b"\r"), 0),
        (0, RULES, 80_000),
        (7_900, RULES, 0),
    ],
    ids=["a mark", "other ends of lines", "5 MB", "500 KiB before the rule"],
)
async def test_forbidden_addresses_are_not_requested(
    comments: int, rules: bytes, more: int
) -> None:
    robots = COMMENT * comments + rules + COMMENT * more
    site = Site(robots)
    assert (await failure(site)).code == "ROBOTS"
    assert site.count() == 0
    assert (await fetched(Site(robots), "/other")).status == 200


async def test_rules_with_many_stars_are_matched_at_once() -> None:
    path = "/" + "a" * 300
    site = Publisher({path: PAGE}, f"User-agent: *\nDisallow: /{'a*' * 10}b$\n")
    started = time.process_time()
    assert (await fetched(site, path)).status == 200
    assert time.process_time() - started < 1


async def test_of_a_large_one_no_rule_counts_that_is_cut_in_two() -> None:
    rule = b"User-agent: *\nDisallow: /other"
    comments = COMMENT * (MAX_ROBOTS_BYTES // len(COMMENT))
    before = comments[: MAX_ROBOTS_BYTES - len(rule)].rpartition(b"\n")[0]
    robots = before.ljust(MAX_ROBOTS_BYTES - len(rule), b"\n") + rule + b"/only\n"
    assert robots[:MAX_ROBOTS_BYTES].endswith(b"/other")
    assert (await fetched(Site(robots), "/other")).status == 200
