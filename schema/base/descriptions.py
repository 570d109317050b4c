"""Descriptions of fields of inputs and outputs and of words, each written once.

The docstring of a field in its struct comes first, that of a word in its vocabulary. Fields without one
are described in `DESCRIPTIONS`: under `Class.field`, or under `field` for all structs with this field.
"""

import inspect
import re
import sys
from collections.abc import Mapping
from functools import cache

CLASS_OR_FIELD = re.compile(
    r'''^class\ (?P<kind>\w+)
    | ^\ {4}(?P<field>\w+)(?::|\ =)\ .*\n     # a field, or a word, whose first line ends here
      (?:\ {8}.*\n | \ {4}[])].*\n)*  # more lines of it, as ruff formats them
      \ {4}"""(?P<docstring>(?:.|\n)+?)"""''',
    re.MULTILINE | re.VERBOSE,
)
"""Pattern of the classes of a module, and of their fields with docstrings."""


def describe(name: str, *structs: type) -> str:
    """Return the description of a field or property, from the first struct that has one.

    Raises LookupError without one.
    """
    for struct in structs:
        member = getattr(struct, name, None)
        if isinstance(member, property):
            return " ".join(str(member.__doc__).split())
        for kind in struct.__mro__:
            described = DESCRIPTIONS.get(f"{kind.__name__}.{name}") or _docstring(kind, name)
            if described:
                return described
    if name not in DESCRIPTIONS:
        raise LookupError(f"{structs[0].__name__}.{name} has no docstring, and is in no table")
    return DESCRIPTIONS[name]


def _docstring(kind: type, name: str) -> str | None:
    return _docstrings(kind.__module__).get(f"{kind.__name__}.{name}")


@cache
def _docstrings(module: str) -> Mapping[str, str]:
    """Return the docstrings of fields in a module of this project, by `Class.field`."""
    if module.partition(".")[0] not in ("tracker", "projections", "schema"):
        return {}
    by_name, kind = {}, ""
    for match in CLASS_OR_FIELD.finditer(inspect.getsource(sys.modules[module])):
        kind = match["kind"] or kind
        if match["field"]:
            by_name[f"{kind}.{match['field']}"] = " ".join(match["docstring"].split())
    return by_name


DESCRIPTIONS = {
    "Suspended.entities": "The only firms to which the clauses do not apply; all firms if left"
    " out.",
    "Discontinued.outcome": "The way in which they ended without a repeal.",
    "Merged.into": "The key of the export control that continues them.",
    "Preferred.id": "The key or id of the figure, such as `rare_earths/CN/production/mine/2023`.",
    "Preferred.on": "The date of the judgement.",
    "Preferred.publisher": "The publisher of the preferred claim, such as `usgs`.",
    "Preferred.edition": "The edition whose claim is preferred; the publisher's latest if left out.",
    "Preferred.edition_version": "The version of that edition; the latest if left out.",
    "Ordered.on": "The date of the judgement.",
    "Ordered.commodity": "Only for figures of this commodity and those below it; for all"
    " commodities if left out.",
    "Ordered.statistic": "Only for figures of this statistic; for all statistics if left out.",
    "publishers": "The short ids of the publishers. The first one with a claim on a figure is"
    " preferred.",
    "SnapshotRedactionInput.sha256": "The SHA-256 of the snapshot, as hexadecimal digits.",
    "SnapshotRedactionInput.on": "The date of the redaction.",
    "SnapshotRedactionInput.reason": "The reason. It is public and permanent, so it must not repeat the"
    " bytes.",
    "SnapshotRedactionInput.source": "The law, order or request that requires it.",
    "RedactionInput.event_id": "The id of the event whose texts are redacted.",
    "RedactionInput.on": "The date of the redaction.",
    "RedactionInput.reason": "The reason. It is public and permanent, so it must not repeat the"
    " texts.",
    "RedactionInput.source": "The law, order or request that requires it.",
    "RedactionInput.fields": "The texts, by their JSON Pointers in the data of the event, such as"
    " `/quotation` or `/clauses/0/note`; all texts if left out.",
    "Announced.clauses": "Its clauses, at least one.",
    "Amended.clauses": "The clauses that get a new wording or are added, each in full.",
    "Amended.title": "The new title, if it changes.",
    "Made.on": "The date on which it was made.",
    "MembersListed.members": "The whole list; if left out, the members known so far are all.",
    "RoleChanged.role": "The role from this date on.",
    "Identified.on": "The date from which it is public that these names refer to the firm.",
    "Identified.place": "The place of its seat, such as `US`.",
    "Renamed.also": "Other spellings of the new name.",
    "also": "Other spellings of its names.",
    "firms": "The participating firms, as the source writes them.",
    "Founded.on": "The date on which it was founded.",
    "stated_by": "The maker of the statement, such as `China's Ministry of Commerce`.",
    "account": "The account of the other source, or the content of the statement, in our own words.",
    "actors": "Its actors and parties: codes of places (`US`) and keys of founded"
    " alliances (`quad`).",
    "about": "Related entities, such as `alliance/quad`.",
    "amounts": "The amounts in it.",
    "as_of": "The year in which reserves were estimated, if the publisher states it.",
    "by": "The key of the entity that replaces it.",
    "change": "Whether the place joins or leaves.",
    "clauses": "The keys of the clauses; all clauses if left out.",
    "commodities": "The keys of its commodities, such as `gallium`.",
    "conflicts_with": "The names of entities that report the same matter differently, such as"
    " `announcement/…`.",
    "discontinued_from": "The first date on which they no longer apply.",
    "edition": "The edition with the number, such as `MCS 2025`.",
    "edition_version": "The version of the edition, if it has several.",
    "effective_from": "The first date of the new wording; the date of `on` if left out.",
    "event_id": "The id of the wrong event.",
    "id": "The key of the entity, in lower-case letters and digits with hyphens, such as"
    " `cn-mofcom-2024-46`; or its `id`.",
    "in_force_from": "The first date on which it applies; left out if no date is stated.",
    "in_force_until": "The last date on which it applies, inclusive.",
    "instrument": "The legal act, as cited by its issuer.",
    "judged": "This tracker's assessment of it.",
    "kind": "The kind of announcement.",
    "label": "The subject of the amount, such as `investment`.",
    "member": "The place, such as `IN`.",
    "members": "Its members at the start.",
    "members_known": "False while no list of members has been published; true if left out.",
    "merged_from": "The date from which they are repealed and continued elsewhere.",
    "name": "Its name.",
    "Declared.issuer": "The issuer of the acts: a place (`CN`) or an alliance (`quad`).",
    "Declared.acts": "The kind of act.",
    "Declared.name": "The list that was read, such as `Announcements of MOFCOM by number`.",
    "Declared.first": "The first date covered; left out if the list goes back to the first act of its kind.",
    "Declared.last": "The last date covered.",
    "Declared.commodities": "The commodities whose acts were read; all commodities if left out.",
    "Declared.left_out": "The acts of this kind and period that were not read, each in a sentence. Left out,"
    " the list counts as complete.",
    "Declared.firms_named": "For entity lists: whether all listed firms are named.",
    "Declared.watched_source": "The key of the watched source whose polls continue the list.",
    "Declared.checked_by": "The person who read it.",
    "Declared.on": "The date on which it was read.",
    "Withdrawn.on": "The date from which it no longer counts.",
    "note": "Remarks. Stored in an annex, so that they can be redacted if a law requires it.",
    "on": "The date on which it was made public.",
    "original_title": "The title as the issuer wrote it, in its own language, if the source"
    " states it.",
    "Amended.original_title": "The new title as the issuer wrote it. A recorded original title is"
    " removed if only `title` is given.",
    "part_of": "The key of the alliance that the initiative belongs to.",
    "more_sources": "Further sources of the same fact.",
    "purpose": "Its purpose.",
    "quantity": "The number, with its unit, basis and qualifier.",
    "quotation": "A quotation from the source, in its own words. Stored in an annex, like `note`.",
    "reason": "Why.",
    "reinstated_from": "The first date after the suspension.",
    "repealed_from": "The first date on which it no longer applies.",
    "replacement": "The right fact.",
    "replaces": "The key of the alliance that it replaces.",
    "role": "The role in which it takes part; MEMBER if left out.",
    "series": "The series of the number.",
    "since": "The date on which it joined, if it differs from the date on which it became public.",
    "source": "The source of the fact.",
    "statistic": "The statistic, such as production.",
    "supersedes": "The names of announcements that it replaces, such as `announcement/…`.",
    "suspended_for": "The length of the suspension in ISO 8601, such as `P90D` or `P1Y`,"
    " if the act states a length instead of an end. The first day counts:"
    " a year from 10 November ends on 9 November.",
    "suspended_from": "The first date on which the clauses do not apply.",
    "suspended_until": "The last suspended date, inclusive; until further notice if left out.",
    "title": "Its title, or its content in one line.",
    "topic": "Its topic, in a word or two.",
    "until": "The date by which the promise is due.",
}
