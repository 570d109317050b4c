"""Malicious facts that try to run code in pages, or to disguise their text."""

import re
from unittest.mock import patch

from schema.services import Services
from tests.support.fact_builders import announced, clause, fact
from tracker.domain.actors.alliance import Founded
from tracker.domain.actors.announcement import Made
from tracker.domain.basics.codec import from_builtins
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.figure_facts import Claimed

MARKUP = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
RIGHT_TO_LEFT = "\N{RIGHT-TO-LEFT OVERRIDE}drowssap"
SCRIPT_ADDRESS = "javascript:document.title='run'"
FORMULA = '=HYPERLINK("https://evil.example")'
TEXT = f"{FORMULA} {MARKUP} {{{{7*7}}}} {{% raw %}} [a]({SCRIPT_ADDRESS}) '\" {RIGHT_TO_LEFT}"
NOTHING = re.compile("(?!)")
KEY = "hostile"
CONTROL, ALLIANCE, ANNOUNCEMENT = (
    f"export-control/{KEY}",
    f"alliance/{KEY}",
    f"announcement/{KEY}",
)
SOURCE = {
    "publisher": "mofcom",
    "name": TEXT,
    "publishedOn": "2024-12-03",
    "reference": SCRIPT_ADDRESS,
    "checked": "page",
}


def hostile_facts() -> dict[str, Fact]:
    """Return facts by stream, with the text in every possible field."""
    common = {"source": SOURCE, "note": TEXT, "quotation": TEXT}
    quantity = {"value": "1234567.89", "unit": "t", "basis": "REO"}
    series = {
        "commodity": "rare_earths",
        "place": "CN",
        "statistic": "production",
        "stage": "mine",
        "period": 2023,
    }
    claimed = {"series": series, "edition": TEXT, "quantity": quantity, **common}
    clauses = clause(endUse=TEXT, entities=[TEXT], end="condition", endCondition=TEXT)
    facts = {
        CONTROL: announced(clauses, title=TEXT, instrument=TEXT, **common),
        ALLIANCE: fact(Founded, "2024-12-03", name=TEXT, members=["CN"], purpose=TEXT, **common),
        ANNOUNCEMENT: fact(
            Made,
            "2024-12-03",
            kind="statement",
            title=TEXT,
            actors=["CN"],
            commodities=["gallium"],
            topic=TEXT,
            firms=[TEXT],
            **common,
        ),
    }
    figure = from_builtins(Claimed, claimed)
    return {**facts, figure.stream: figure}


async def record_hostile_facts(services: Services) -> None:
    """Record them, even what is refused today, because an older log may have it."""
    with (
        patch("tracker.domain.basics.text_rules.NOT_IN_LINE", NOTHING),
        patch("tracker.domain.basics.text_rules.NOT_IN_TEXT", NOTHING),
    ):
        for stream, one in hostile_facts().items():
            await services.commands.record(stream, one, actor="a stranger")
