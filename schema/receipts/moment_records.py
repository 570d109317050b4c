"""The state digest and the completeness of a moment, as receipts contain them."""

from projections.fold.replay import STATE_FORMAT
from projections.query.as_of import AsOf
from projections.query.moment import Moment
from tracker.audit.receipts.statement import MomentRecord
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.evidence.completeness import Scope

ALL_ACTS = Scope(frozenset(ActKind))


async def moment_record(as_of: AsOf, moment: Moment) -> MomentRecord:
    """Return the record of a moment, from the database."""
    completeness = await as_of.coverages.completeness(ALL_ACTS, moment)
    return MomentRecord(
        moment.valid_at,
        str(moment.position),
        await as_of.digest(moment),
        STATE_FORMAT,
        completeness.statement,
    )
