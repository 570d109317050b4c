"""Numbers of clauses at a moment."""

from typing import Annotated, Any

from strawberry import field

from projections.analysis import clause_counts
from projections.analysis.clause_counts import ClauseGroup, count_clauses
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.clause_filter import CONTROL_FILTERS, parse_control_filter
from schema.root.as_of.base import AtMoment
from schema.types.common import Commodity, Place, commodity, place
from schema.types.export_control import clause_query
from tracker.domain.basics import control_vocabulary
from tracker.domain.controls.confirmation import NO_GROUNDS
from tracker.errors import InvalidInput

MAX_GROUPS = 1000
"""Maximum number of groups in a response."""


@object_type
class ClauseCount:
    """A number of clauses, with the values of the fields that they are counted by; other fields are null."""

    status: control_vocabulary.ClauseStatus | None = field(description="Their status.")
    measure: control_vocabulary.Measure | None = field(description="Their measure.")
    issuer: Place | None = field(description="The issuer of their instruments.")
    direction: control_vocabulary.Direction | None
    """Whether they restrict exports, imports or production."""
    covers: control_vocabulary.Covers | None
    """The goods or persons that they cover."""
    legal_stage: control_vocabulary.LegalStage | None = field(description="Their legal stage.")
    confirmation: control_vocabulary.Confirmation | None
    """The confirmation of their status."""
    match: control_vocabulary.Match | None
    """Whether they cover the goods of the filters for certain or possibly; `CERTAIN` without such
    filters."""
    commodity: Commodity | None = field(description="A commodity that they name.")
    clauses: int = field(description="The number of clauses.")
    controls: int = field(description="The number of their instruments.")


GroupBy = Annotated[
    list[ClauseGroup],
    "The fields to count by, each once; an empty list counts all clauses together.",
]


FILTERS = CONTROL_FILTERS.only(
    "issuer direction destination origin commodity form hs_code measure covers firm status in_force"
    " confirmation match"
)


@object_type
class ClauseCounts(AtMoment):
    """Numbers of clauses at a moment."""

    @resolver_field
    async def clause_counts(
        self, info: Info, group_by: GroupBy, filters: ArgumentGroup = FILTERS
    ) -> list[ClauseCount]:
        """The number of clauses at this moment by their status, measure, issuer, and so on, the largest
        group first. Groups without a clause are left out. The filters are those of `exportControls`. A
        clause on several commodities counts in the group of each. At most 1,000 groups; to get more, use
        narrower filters."""
        if len(set(group_by)) < len(group_by):
            raise InvalidInput("expected each once", path=("groupBy",))
        query = await clause_query(info, filters, self.moment)
        narrowed = parse_control_filter(filters)
        as_of = info.context.services.as_of
        controls = await as_of.controls.having(self.moment, query, narrowed)
        licences = await as_of.controls.licences(self.moment) if query.is_about_goods else {}
        grounds = NO_GROUNDS
        if ClauseGroup.CONFIRMATION in group_by:
            grounds = await as_of.confirmations.grounds(self.moment)
        counts = count_clauses(controls, query, licences, group_by, grounds)
        if len(counts) > MAX_GROUPS:
            raise InvalidInput(
                f"there are {len(counts)} groups, at most {MAX_GROUPS} are allowed: use narrower filters",
                code="TOO_LARGE",
                path=("groupBy",),
            )
        return [_shown(count, group_by) for count in counts]


SHOWN_AS: dict[ClauseGroup, Any] = {
    ClauseGroup.STATUS: control_vocabulary.ClauseStatus,
    ClauseGroup.MEASURE: control_vocabulary.Measure,
    ClauseGroup.ISSUER: place,
    ClauseGroup.DIRECTION: control_vocabulary.Direction,
    ClauseGroup.COVERS: control_vocabulary.Covers,
    ClauseGroup.LEGAL_STAGE: control_vocabulary.LegalStage,
    ClauseGroup.CONFIRMATION: control_vocabulary.Confirmation,
    ClauseGroup.MATCH: control_vocabulary.Match,
    ClauseGroup.COMMODITY: commodity,
}


def _shown(count: clause_counts.ClauseCount, group_by: list[ClauseGroup]) -> ClauseCount:
    values: dict[str, Any] = dict.fromkeys([group.value for group in ClauseGroup])
    for group, value in zip(group_by, count.values, strict=True):
        values[group.value] = SHOWN_AS[group](value)
    return ClauseCount(**values, clauses=count.clauses, controls=count.controls)
