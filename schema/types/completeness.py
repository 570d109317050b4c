"""GraphQL types of the completeness of responses."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import strawberry

from projections.query.as_of import AsOf
from projections.query.changes import ChangeFilter
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.evidence import completeness as domain


@output_type(first="issuer acts first last reason")
class CompletenessGap:
    """A gap in the lists of acts that were read. A response may lack acts of it."""

    of: strawberry.Private[domain.Gap]

    first: Day | None = struct_field(name="from")
    """The first day of the gap; null if it has no beginning."""
    last: Day | None = struct_field(name="until")
    """The last day of the gap; null if no day was read."""


@output_type(first="level until gaps statement")
class Completeness:
    """The completeness of a response: which of the relevant lists of acts were read. Unless the level is
    `COMPLETE`, a missing record does not mean that no act exists. Lists that were read are recorded
    facts: see `coverages`."""

    of: strawberry.Private[domain.Completeness]

    gaps: list[CompletenessGap] = struct_field()


@dataclass(frozen=True, slots=True)
class AnswerScope:
    """The acts that are relevant for a response at a moment."""

    as_of: AsOf
    scope: domain.Scope
    moment: Moment


def answer_scope(
    info: Info,
    moment: Moment | None,
    kinds: Iterable[ActKind],
    issuers: Iterable[str] | None = None,
    commodities: Iterable[str] | None = None,
) -> AnswerScope | None:
    """Return the scope of a response about acts; None without a moment, as in a history, or without
    kinds.

    Without `issuers` it covers those of all issuers, without `commodities` all goods.
    """
    requested = frozenset(kinds)
    if moment is None or not requested:
        return None
    scope = domain.Scope(
        requested,
        None if issuers is None else frozenset(issuers),
        None if commodities is None else frozenset(map(Commodity, commodities)),
    )
    return AnswerScope(info.context.services.as_of, scope, moment)


def imports_scope(
    info: Info,
    moment: Moment | None,
    importer: str | None,
    commodities: Iterable[str] | None = None,
) -> AnswerScope | None:
    """Return the scope of a response with figures on the imports of a place; without one, of all
    figures."""
    issuers = None if importer is None else [importer]
    scope = answer_scope(info, moment, [ActKind.FIGURE], issuers, commodities)
    if scope is None or importer is None:
        return scope
    return replace(scope, scope=replace(scope.scope, of_imports=True))


def scope_of_filter(
    info: Info, moment: Moment | None, about: ChangeFilter, issuers: Iterable[str] = ()
) -> AnswerScope | None:
    """Return the scope of a list of changes or transitions, with further issuers besides its places."""
    kinds = {kind for name in about.kinds for kind in domain.KINDS_OF_ACTS.get(name, ())}
    of = [*issuers, *(about.places or ())] or None
    return answer_scope(info, moment, kinds, of, about.commodities)


async def completeness(of_answer: AnswerScope | None) -> Completeness | None:
    """Return the completeness of a response; None if it is not about acts at a moment."""
    if of_answer is None:
        return None
    as_of, scope, moment = of_answer.as_of, of_answer.scope, of_answer.moment
    return Completeness(of=await as_of.coverages.completeness(scope, moment))
