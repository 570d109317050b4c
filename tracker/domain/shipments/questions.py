"""Conditions of clauses, and the questions that settle open ones. Pure."""

from dataclasses import dataclass

from msgspec import Struct

from tracker.domain.controls.clause import Clause, ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import IssuerLicences
from tracker.domain.shipments.question_id import IssuerQuestionId, QuestionId
from tracker.domain.shipments.shipment import Case
from tracker.domain.wording.phrases import place_in_text

ANSWERS = "answers"
"""The input field for answers to questions that no other field answers."""


class Question(Struct, frozen=True):
    """A question whose answer settles whether a clause applies, and the input field that answers it."""

    id: str
    """The id of the question, for `answers` of the input if `field` is `answers`. Later checks of the
    shipment have the same id."""
    text: str
    """The question."""
    field: str
    """The field of the input for the answer, such as `destination`; `answers` for a question that is
    answered by its id and yes or no."""

    @property
    def key(self) -> tuple[str, str]:
        """The key shared by questions with the same answer.

        A question without a field of its own is answered by its id only.
        """
        return self.field, self.id if self.field == ANSWERS else self.text


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a clause: `met` is None while it is open."""

    met: bool | None
    reason: str = ""
    questions: tuple[Question, ...] = ()
    is_exception: bool = False
    """Whether it is an exception of the clause, which applies unless the exception is stated."""


MET = Condition(True)
NOT_MET = Condition(False)


class ConditionsOfClause:
    """A clause and a shipment, with the questions about their conditions."""

    def __init__(
        self, case: Case, control: ExportControlState, state: ClauseState, licences: IssuerLicences
    ):
        self._case, self._control, self._state = case, control, state
        self._clause: Clause = state.clause
        self._licences = licences
        self._shipment = case.shipment
        self._code = case.code_for(control.issuer)

    def _open(self, reason: str, part: str, text: str, field: str = ANSWERS) -> Condition:
        """Return an open condition with its question, or the condition that its answer settles."""
        answer = self._case.answer(self._id(part))
        if answer is not None:
            return Condition(answer)
        return Condition(None, reason, (self._question(part, text, field),))

    def _open_for_issuer(
        self, reason: str, part: str, role: str, text: str, field: str = ANSWERS
    ) -> Condition:
        """Return an open condition with the question that all clauses of the issuer share, or its answer."""
        id = str(IssuerQuestionId(self._control.issuer, role))
        for answer in (self._case.answer(self._id(part)), self._case.answer(id)):
            if answer is not None:
                return Condition(answer)
        return Condition(None, reason, (Question(id, text, field),))

    def _question(self, part: str, text: str, field: str = ANSWERS) -> Question:
        return Question(self._id(part), text, field)

    @property
    def _issuer(self) -> str:
        """The issuer in a sentence."""
        return place_in_text(self._control.issuer)

    def _id(self, part: str) -> str:
        return str(QuestionId(self._control.id, self._clause.id, part))
