"""Enums of the domain as GraphQL enums, whose values are in capitals."""

from enum import Enum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from projections.analysis.clause_counts import ClauseGroup
from projections.analysis.import_exposure import OriginStatus
from projections.analysis.totals import TotalMethod
from projections.fold.change import ChangeKind
from projections.fold.transitions import TransitionBasis, TransitionKind
from projections.query.candidate_matches import MatchKind
from projections.query.statement_verdicts import PartKind, StatementVerdict
from schema.base.decorators import description_of
from schema.base.descriptions import describe
from tracker.delivery.endpoint import EndpointFormat, EndpointState
from tracker.domain.basics import control_vocabulary, vocabulary
from tracker.review.candidate import Action, CandidateKind, CandidateState
from tracker.review.finding import LeadCode

E = TypeVar("E", bound=Enum)
ENUMS: tuple[type[Enum], ...] = (
    *control_vocabulary.VOCABULARIES,
    *vocabulary.VOCABULARIES,
    *(
        ChangeKind,
        ClauseGroup,
        MatchKind,
        OriginStatus,
        PartKind,
        StatementVerdict,
        TotalMethod,
        TransitionBasis,
        TransitionKind,
    ),
    *(Action, CandidateKind, CandidateState, EndpointFormat, EndpointState, LeadCode),
)
ENUM_NAMES: dict[type[Enum], str] = {
    Action: "CandidateAction",
    vocabulary.Checked: "SourceCheck",
    control_vocabulary.Covers: "Coverage",
}
"""GraphQL names of enums with another name in the domain."""


def described_enum(words: type[E]) -> type[E]:
    """Make an enum of the API, described by the docstrings of the enum and of its words.

    Raises LookupError for a word without one.
    """
    strawberry.enum(words, name=ENUM_NAMES.get(words), description=description_of(words))
    definition: StrawberryEnumDefinition = words.__strawberry_definition__  # type: ignore[attr-defined]  # set above
    for value in definition.values:
        value.description = describe(value.name, words)
    return words


for words in ENUMS:
    described_enum(words)
