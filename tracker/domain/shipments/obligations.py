"""Obligations in words: who must do what, by which authority and at which rate. Pure."""

from collections.abc import Iterator, Sequence

from tracker.domain.basics.control_vocabulary import (
    Certainty,
    ClauseStatus,
    Confirmation,
    Direction,
    Measure,
    VerdictKind,
)
from tracker.domain.catalogue.publishers import publishers, speaks_for
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.scope import PlaceQuota
from tracker.domain.shipments.check import Applicable, ShipmentCheck
from tracker.domain.wording.phrases import (
    authority_phrase,
    date_phrase,
    listed,
    place_in_text,
    quantity_phrase,
    with_capital,
)

MAX_EXCEPTIONS = 2
"""Maximum number of exceptions in a sentence; `exceptions` has all."""
NOT_CONFIRMED = "By its text, not confirmed"
AS_RECORDED = "As recorded"


def obligation(one: Applicable) -> str:
    """Return an obligation in one sentence: who must do what, by which authority and at which rate.

    It says which of these is not recorded, cites the act that words the clause, and begins with the doubt
    about a status that is not confirmed.
    """
    clause = one.state.clause
    missing = "".join(f"; the {part} is not recorded" for part in _not_recorded(one))
    sentence = f"{_duty_to_act(one)}{missing} ({one.act}, clause {clause.id})."
    doubt = _doubt(one)
    return f"{doubt}: {sentence[:1].lower()}{sentence[1:]}" if doubt else sentence


def with_conditions(sentence: str, reasons: Sequence[str], exceptions: Sequence[str] = ()) -> str:
    """Return an obligation with the reasons why it applies only possibly, or with its exceptions."""
    if reasons:
        return f"{sentence[:-1]}, but {'; '.join(reasons)}."
    if not exceptions:
        return sentence
    more = len(exceptions) - MAX_EXCEPTIONS
    named = [*exceptions[:MAX_EXCEPTIONS], *([f"{more} more"] if more > 0 else [])]
    text = "; ".join(named)
    end = "" if text.endswith(("?", ".")) else "."
    return f"{sentence[:-1]}, unless an exception applies: {text}{end}"


def without_doubt(sentence: str) -> str:
    """Return an obligation without the words that its status is not confirmed, to stand after a label."""
    if sentence.startswith((NOT_CONFIRMED, AS_RECORDED)):
        sentence = sentence.partition(": ")[2]
    return with_capital(sentence)


def _doubt(one: Applicable) -> str | None:
    """Return the doubt about the status of a clause in force or ended; None if it is confirmed."""
    if one.confirmation is Confirmation.CONFIRMED:
        return None
    if one.state.status is ClauseStatus.EXPIRED and one.state.clause.last_day:
        return f"Ended by its terms on {date_phrase(one.state.clause.last_day)}, not confirmed"
    if one.state.status is not ClauseStatus.IN_FORCE:
        return None
    if stated := one.state.stated_suspension:
        return f"By its text, but stated to be suspended to {date_phrase(stated.until)}"
    until = one.supported_until
    return f"{AS_RECORDED} on {date_phrase(until)}" if until else NOT_CONFIRMED


def _duty_to_act(one: Applicable) -> str:
    clause, control = one.state.clause, one.control
    trade = "export" if control.direction is Direction.EXPORT else "import"
    who = "exporter" if trade == "export" else "importer"
    authority = _authority(control) or f"the authorities of {place_in_text(control.issuer)}"
    match one.kind:
        case VerdictKind.PROHIBITED:
            return f"The {trade} is prohibited"
        case VerdictKind.LICENCE_REQUIRED if clause.measure is Measure.STATE_TRADING:
            firms = listed(clause.exporters) or f"firms designated by {authority}"
            return f"Only {firms} may {trade} the goods"
        case VerdictKind.LICENCE_REQUIRED:
            licence = clause.measure.phrase
            return f"The {who} needs a {licence} from {authority} before {trade}"
        case VerdictKind.REVIEW:
            return f"The {trade} needs a review by {authority} before it is allowed"
        case VerdictKind.QUOTA:
            of = f" of {quantity_phrase(clause.quota)}" if clause.quota else ""
            if one.quota:
                of = _part_of_quota(one.quota)
            duty = f", with a duty of {one.rate.phrase}" if one.rate.phrase else ""
            return f"The {trade} counts against a quota{of} set by {authority}{duty}"
        case VerdictKind.INVESTIGATION:
            return f"The {trade} is under an investigation of {authority}, without a measure so far"
        case VerdictKind.EXPORT_DUTY | VerdictKind.IMPORT_DUTY:
            of = f" of {one.rate.phrase}" if one.rate.phrase else ""
            return f"The {who} pays an {trade} duty{of} to {place_in_text(control.issuer)}"
    return f"A condition applies to the {trade}: {clause.measure.phrase}"


def _not_recorded(one: Applicable) -> Iterator[str]:
    """Yield the parts of an obligation that the clause does not state."""
    clause = one.state.clause
    has_rate = bool(
        one.rate.phrase or clause.rate_text or clause.rate_specific or clause.price_floor
    )
    match one.kind:
        case VerdictKind.LICENCE_REQUIRED | VerdictKind.REVIEW if not _authority(one.control):
            yield "authority"
        case VerdictKind.QUOTA if clause.quota is None and one.quota is None:
            yield "amount"
        case VerdictKind.EXPORT_DUTY | VerdictKind.IMPORT_DUTY if not has_rate:
            yield "rate"


def _part_of_quota(part: PlaceQuota) -> str:
    places = listed(map(place_in_text, part.places)) or "places without an own part"
    days = f"from {date_phrase(part.in_force_from)} to {date_phrase(part.in_force_until)}"
    return f" of {quantity_phrase(part.quota)} for {places} {days},"


def _authority(control: ExportControlState) -> str | None:
    """Return the authority that published the act and applies it; None if no source of it is recorded."""
    ids = (one.publisher for one in control.sources)
    own = next(
        (id for id in ids if speaks_for(id, (control.issuer,)) and publishers()[id].applies_law),
        None,
    )
    return authority_phrase(own) if own else None


def summary(check: ShipmentCheck, unsettled: Sequence[str] = ()) -> str:
    """Return the strongest rule of each certainty in a sentence, in the order of the rules.

    Without a rule it returns the verdicts on the legs: nothing recorded, or unknown.
    """
    strongest = dict[Certainty, Applicable]()
    for verdict in check.verdicts:
        strongest.setdefault(verdict.applicable.certainty, verdict.applicable)
    sentences = [f"{of.phrase.capitalize()}: {_in_summary(one)}" for of, one in strongest.items()]
    return " ".join(sentences or unsettled)


def _in_summary(one: Applicable) -> str:
    exceptions = [of.reason for of in one.exceptions]
    return with_conditions(without_doubt(obligation(one)), one.reasons, exceptions)
