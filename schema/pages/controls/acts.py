"""The acts of an instrument in the order of recording. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schema.pages.charts.square import Act
from tracker.domain.wording.phrases import with_capital

WORDS: Mapping[str, str] = {
    "Announced": "Announced",
    "Amended": "Amended",
    "EnteredIntoForce": "In force",
    "Extended": "Extended",
    "Suspended": "Suspended",
    "SuspensionExtended": "Suspended longer",
    "SuspensionStated": "Suspension stated",
    "Reinstated": "Back in force",
    "Expired": "Expired",
    "Repealed": "Repealed",
    "Merged": "Merged",
    "Discontinued": "Ended",
    "Disputed": "Different account",
    "Related": "Relation of duties",
    "Retracted": "Retracted",
}
"""Words by the types of events, without `ExportControl.`."""
MAX_CHARACTERS = 110
"""Maximum length of the text beside a row of the square."""


@dataclass(frozen=True)
class RecordedAct:
    """An act, with its corrections up to the position of the page."""

    event: Mapping[str, Any]
    word: str
    says: str
    later: bool
    """Whether it was recorded after the position of the page."""
    gone: bool
    """Whether it was retracted by the position of the page."""
    retracted_by: int | None
    replaced_by: int | None

    @property
    def position(self) -> int:
        """Return its position in the log."""
        return int(self.event["position"])


def recorded_acts(
    events: Sequence[Mapping[str, Any]], title: str, position: int
) -> list[RecordedAct]:
    """Return the acts for a page, as known at its position."""
    retracts = {
        int(event["retractedBy"]["position"]): int(event["position"])
        for event in events
        if event["retractedBy"]
    }
    return [_recorded_act(event, title, position, retracts) for event in events]


def _recorded_act(
    event: Mapping[str, Any], title: str, position: int, retracts: Mapping[int, int]
) -> RecordedAct:
    kind = event["type"].rpartition(".")[2]
    word = WORDS.get(kind, kind)
    at = int(event["position"])
    if kind == "Retracted" and at in retracts:
        word = f"Retracted event {retracts[at]:,}"
    retracted_by = _known(event["retractedBy"], position)
    return RecordedAct(
        event,
        word,
        _without_title(event["summary"], title),
        at > position,
        retracted_by is not None,
        retracted_by,
        _known(event["replacedBy"], position),
    )


def _known(link: Mapping[str, Any] | None, position: int) -> int | None:
    """Return the position of a later act, if it is known at the position of the page."""
    if link is None or int(link["position"]) > position:
        return None
    return int(link["position"])


def _without_title(summary: str, title: str) -> str:
    """Return the sentence of an act, without the title of the instrument and its first word."""
    text = summary.removeprefix(f"{title}: ")
    for word in ("amended ", "Retracted: ", "Corrected: "):
        text = text.removeprefix(word)
    return with_capital(text)


def acts_of_square(acts: Sequence[RecordedAct]) -> list[Act]:
    """Return the acts with short texts for the square."""
    return [Act(act.position, act.word, _beginning(act.says)) for act in acts]


def _beginning(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    return text[:MAX_CHARACTERS].rsplit(" ", 1)[0] + " …"
