"""Export controls that an act states unambiguously, with goods and effective date.

The title must state that it sets up export control, and the text that exports need a licence. Each heading
must name goods that the tracker knows (`钨相关物项`, items related to tungsten). The text must have exactly
one effective date. A person reads all other acts.
"""

import re
from datetime import date

from tracker.domain.basics.control_vocabulary import Direction, Measure
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Checked
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.fact import Source
from tracker.errors import InvalidInput
from tracker.review.finding import FactProposal, Origin
from tracker.sources.reader import SourceLocation, read_fact
from tracker.watch.adapters.mofcom.acts import Act
from tracker.watch.adapters.mofcom.numbers import words

SETS_UP = re.compile("实施出口管制")
NOT_A_NEW_CONTROL = re.compile(
    "暂停|停止|恢复|修订|修改|调整|废止|取消|临时|延长|更正|禁止|境外|清单|名单|对[^物]{1,12}出口"
)
"""Words in titles of acts with another or a further effect."""
LICENCE = re.compile(
    "未经许可,?不得出口|出口经营者[^。]{0,120}向[^。]{0,20}商务主管部门申请(?:两用物项出口)?许可"
)
DUAL_USE = re.compile("两用物项")
HEADING = re.compile(
    r"^(?:[一二三四五六七八九十]+、|\([一二三四五六七八九十]+\))\s*(?P<goods>[^,。;:()]{1,20}?)相关物项(?=$|[。:\s(])",
    re.MULTILINE,
)
AT_ONCE = re.compile("自(?:公布|发布)之日起(?:正式)?(?:施行|实施)")
FROM_A_DAY = re.compile(
    r"自\s*(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日\s*起(?:正式)?(?:施行|实施)"
)


def propose_control(act: Act, origin: Origin) -> FactProposal | str:
    """Return the proposal of the control that an act sets up, or the reason for none."""
    goods = goods_of(act)
    since = in_force_from(act)
    if not SETS_UP.search(act.title) or NOT_A_NEW_CONTROL.search(act.title):
        return "its title does not say that it sets up an export control"
    if not LICENCE.search(act.text) or not DUAL_USE.search(act.text):
        return "its text does not say that exports need a licence for dual-use items"
    if goods is None:
        return "its headings name no goods, or some that are not known here by that name"
    if since is None:
        return "its text does not say one day from which it holds"
    if act.number is None or act.number.instrument is None:
        return "its number, or who announces it, is not known"
    try:
        fact = _control(act, goods, since, act.number.instrument)
        id = f"cn-mofcom-{act.number.year}-{act.number.serial}"
        read = read_fact(SourceLocation(1), f"export-control/{id}", fact, id)
    except InvalidInput as error:
        return f"what it says can't be recorded: {error.message}"
    names = ", ".join(commodity.name for commodity in goods)
    reason = (
        f"The title sets up export control, the headings name {names}, the text asks for a licence"
        f" and says that it holds from {since}"
    )
    return FactProposal(origin, reason, read.planned)


def goods_of(act: Act) -> tuple[Commodity, ...] | None:
    """Return the goods in the headings of an act, in order; None if there are none, or unknown ones."""
    named = [
        name
        for heading in HEADING.finditer(act.text)
        for name in re.split("[、和及]", heading["goods"])
    ]
    known: dict[str, str] = words()["goods"]
    if not named or any(name.strip() not in known for name in named):
        return None
    return tuple(dict.fromkeys(Commodity(known[name.strip()]) for name in named))


def in_force_from(act: Act) -> date | None:
    """Return the one effective date in an act; None if there are none or several."""
    days = {act.day} if AT_ONCE.search(act.text) else set()
    try:
        days |= {date(*map(int, match.groups())) for match in FROM_A_DAY.finditer(act.text)}
    except ValueError:
        return None
    return days.pop() if len(days) == 1 else None


def _control(act: Act, goods: tuple[Commodity, ...], since: date, instrument: str) -> Announced:
    day = PartialDate(act.day.isoformat())
    return Announced(
        source=Source(
            publisher="mofcom",
            name="Ministry of Commerce of China: announcements",
            published_on=day,
            url=act.url,
            reference=instrument,
            checked=Checked.PAGE,
        ),
        on=day,
        issuer=Place("CN"),
        direction=Direction.EXPORT,
        title=act.title,
        instrument=instrument,
        clauses=(
            Clause(
                id="1",
                measure=Measure.DUAL_USE_LICENCE,
                commodities=goods,
                in_force_from=PartialDate(since.isoformat()),
                note="The goods are those that the headings name; the text says which items of them",
            ),
        ),
    )
