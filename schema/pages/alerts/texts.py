"""Texts of mails: digests of changes between two moments, and mails that requests cause. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from msgspec import Struct

from schema.pages.alerts.targets import Target
from schema.pages.site.citation import PRODUCT
from tracker.alerts.letter import Heading, Item, Letter, Paragraph, Part
from tracker.alerts.subscription import Choice
from tracker.domain.basics.values import PartialDate
from tracker.domain.wording.phrases import date_phrase


class Category(StrEnum):
    """The categories of lines, in the order of a digest. A value is a heading."""

    STATUS = "Status changes"
    NEW = "New acts and figures"
    LATE = "Recorded late"
    CORRECTED = "Corrected"
    CONTRADICTED = "Contradicted"
    UPCOMING = "Upcoming in the next 30 days"


COUNTED = {
    Category.STATUS: ("status change", "status changes"),
    Category.NEW: ("new record", "new records"),
    Category.LATE: ("recorded late", "recorded late"),
    Category.CORRECTED: ("correction", "corrections"),
    Category.CONTRADICTED: ("contradiction", "contradictions"),
}
"""Words of the subject, for one and for several. Upcoming changes do not make a digest."""
EXPLAINED = {
    Category.LATE: "These acts and figures are older than the previous digest but were recorded after it.",
    Category.CONTRADICTED: "A recorded statement contradicts a status that follows from dates.",
}
MAX_TITLE_CHARACTERS = 70
"""Maximum length of a title in a subject, so that the changes after it are visible."""
MAX_LINES = 40
"""Maximum number of lines in a category."""
NOT_REQUESTED = "If you did not request this, ignore this mail."


class Point(Struct, frozen=True):
    """A moment: an effective date and a position of the log."""

    day: date
    position: int


@dataclass(frozen=True, slots=True)
class Line:
    """A change in a sentence."""

    category: Category
    key: str
    """Identity of the change, such as `event/4711`."""
    day: str
    """A day, month or year as it is recorded; empty without one."""
    text: str
    path: str
    """Path and query of its permanent page."""
    remark: str = ""


class Digest(Struct, frozen=True):
    """The changes of a page since a moment."""

    title: str
    """The title of the page."""
    page: str
    """Path and query of the page at the later moment."""
    comparison: str | None
    """Path and query of the comparison of the two moments; None if there is none of this page."""
    since: Point
    until: Point
    lines: Sequence[Line]
    remarks: Sequence[str] = ()
    """Limits of the digest, such as the completeness of the records."""

    @property
    def counts(self) -> Mapping[Category, int]:
        """Return the number of lines by category, without upcoming changes."""
        return {
            one: count
            for one in COUNTED
            if (count := sum(line.category is one for line in self.lines))
        }


def arranged(lines: Iterable[Line]) -> list[Line]:
    """Return lines by category and date, each change once: in its first category."""
    order = list(Category)
    first: dict[str, Line] = {}
    for line in sorted(lines, key=lambda each: (order.index(each.category), each.day, each.key)):
        first.setdefault(line.key, line)
    return list(first.values())


def subject(digest: Digest) -> str:
    """Return the changes of a digest in few words: `Gallium: 2 status changes, 1 correction`."""
    changes = [f"{count} {COUNTED[one][count > 1]}" for one, count in digest.counts.items()]
    title = digest.title
    if len(title) > MAX_TITLE_CHARACTERS:
        title = f"{title[: MAX_TITLE_CHARACTERS - 1]}…"
    return f"{title}: {', '.join(changes) or 'no change recorded'}"


def digest_letter(digest: Digest, site: str, footer: Sequence[Part] = ()) -> Letter:
    """Return the letter of a digest; `site` is the origin of its links."""
    since, until = digest.since, digest.until
    parts: list[Part] = [
        Paragraph(
            f"{digest.title}: changes between {written(since.day)} (position {since.position}) and"
            f" {written(until.day)} (position {until.position}).",
            f"{site}{digest.page}",
            "Page at this moment",
        )
    ]
    if not digest.counts:
        parts.append(
            Paragraph("No change recorded. Changes that are not recorded here may have happened.")
        )
    for category in Category:
        parts += _section(category, digest, site)
    if digest.comparison:
        parts.append(Paragraph("Compare both moments:", f"{site}{digest.comparison}", "Comparison"))
    parts += [Paragraph(remark, note=True) for remark in digest.remarks]
    return Letter(subject(digest), [*parts, *footer])


def _section(category: Category, digest: Digest, site: str) -> list[Part]:
    lines = [line for line in digest.lines if line.category is category]
    if not lines:
        return []
    parts: list[Part] = [Heading(category.value)]
    if category in EXPLAINED:
        parts.append(Paragraph(EXPLAINED[category], note=True))
    for line in lines[:MAX_LINES]:
        text = f"{written(line.day)}: {line.text}" if line.day else line.text
        parts.append(Item(text, f"{site}{line.path}", "Permanent link", line.remark))
    if (more := len(lines) - MAX_LINES) > 0:
        see = ": see the comparison below" if digest.comparison else ""
        parts.append(Paragraph(f"And {more} more{see}.", note=True))
    return parts


def written(day: date | str) -> str:
    """Return a date in words: `27 November 2026`; a month or year as it is recorded."""
    return date_phrase(day if isinstance(day, date) else PartialDate(day))


def confirmation_letter(site: str, target: Target, choice: Choice, token: str) -> Letter:
    """Return the mail that asks for the confirmation of a subscription.

    Anyone may enter any address, so the mail has no free text of the request, such as search words.
    """
    words = f"{choice.frequency.value.capitalize()} mails, time zone {choice.time_zone}."
    shown = target.with_keys_only
    whole = shown == target
    return Letter(
        f"Confirm alerts: {shown.title}",
        [
            Paragraph(f"{PRODUCT}: e-mail alerts on this page were requested for your address."),
            Paragraph(f"{shown.title}. {words}", f"{site}{target}" if whole else None, "Page"),
            Paragraph(
                "Confirm within two days. The link opens a page with a button"
                f"{'' if whole else ' and all filters'}. Without a confirmation you get no alerts.",
                f"{site}/alerts/confirm?token={token}",
                "Confirm the subscription",
            ),
            Paragraph(NOT_REQUESTED, note=True),
        ],
    )


def links_letter(site: str, token: str) -> Letter:
    """Return the mail with the link to the subscriptions of its reader."""
    return Letter(
        "Your alerts",
        [
            Paragraph(
                f"{PRODUCT}: this link shows your subscriptions. It is valid for one day.",
                f"{site}/alerts/manage?token={token}",
                "See and delete subscriptions",
            ),
            Paragraph(NOT_REQUESTED, note=True),
        ],
    )
