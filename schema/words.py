"""The words of the domain as GraphQL enums, whose values are in capitals."""

from __future__ import annotations

import strawberry

from schema.described import description_of
from tracker.domain import vocabulary

for words in (
    vocabulary.AllianceStatus, vocabulary.AnnouncementKind, vocabulary.Checked,
    vocabulary.ClauseStatus, vocabulary.Covers, vocabulary.Direction, vocabulary.Measure,
    vocabulary.PreferenceRule, vocabulary.Qualifier, vocabulary.Stage, vocabulary.Statistic,
):
    strawberry.enum(words, description=description_of(words))
