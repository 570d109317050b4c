"""Sentences of the shipped acts keep the limits of their clauses: destinations, forms and named goods."""

from collections.abc import Iterator

from tests.support.corpus_lines import shipped_events
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.events.sentences import names_needed, sentence
from tracker.domain.wording.phrases import place_in_text

WITHOUT_LIMITS = "without its limits"


def acts_with_one_clause() -> Iterator[tuple[str, Clause, str]]:
    """Yield the shipped acts of one clause, with the clause and the sentence."""
    for planned in shipped_events().values():
        if isinstance(planned.fact, Announced) and len(planned.fact.clauses) == 1:
            names = dict.fromkeys(names_needed(planned.stream, planned.fact), WITHOUT_LIMITS)
            yield (
                planned.stream,
                planned.fact.clauses[0],
                sentence(planned.stream, planned.fact, names),
            )


def test_an_act_for_one_destination_names_it() -> None:
    limited = [
        (stream, place_in_text(clause.destinations[0]), said.replace("\xa0", " "))
        for stream, clause, said in acts_with_one_clause()
        if len(clause.destinations) == 1
    ]
    assert len(limited) > 10
    assert [stream for stream, place, said in limited if place not in said] == []


def test_an_act_for_one_form_names_it() -> None:
    limited = [
        (stream, str(clause.forms[0]), said)
        for stream, clause, said in acts_with_one_clause()
        if len(clause.forms) == 1
    ]
    assert len(limited) > 10
    assert [stream for stream, form, said in limited if form not in said.casefold()] == []


def test_an_act_on_one_named_good_says_that_it_covers_only_a_part() -> None:
    limited = [
        (stream, clause.items[0].name, said)
        for stream, clause, said in acts_with_one_clause()
        if len(clause.items) == 1 and not clause.items_complete
    ]
    assert len(limited) > 3
    assert [stream for stream, item, said in limited if item not in said] == []
