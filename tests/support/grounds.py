"""Records that confirm every status, for tests of other rules."""

from datetime import date

from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.confirmation import Grounds
from tracker.domain.controls.export_control import ExportControlState


class EveryGround(Grounds):
    """Supports every status."""

    def supported_until(self, control: ExportControlState, clause: ClauseState, day: date) -> date:
        """Return the day."""
        return day


ALL_CONFIRMED = EveryGround({})
