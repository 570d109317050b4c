"""Frequent objects keep a reference to their source, without copies."""

from __future__ import annotations

import pytest
import strawberry

from schema.base.decorators import object_type, read_from


class Kept:
    """A source of objects."""

    def __init__(self, name: str):
        self.name = name
        self.asked = 0


def greeting(of: Shown) -> str:
    """Return a computed text."""
    of.kept.asked += 1
    return f"hello {of.kept.name}"


@read_from({"title": "kept.name"}, {"greeting": greeting})
@object_type
class Shown:
    """An output type."""

    kept: strawberry.Private[Kept]
    title: str = strawberry.field(description="Read.")
    greeting: str = strawberry.field(description="Made.")


def test_a_field_is_read_or_made_when_it_is_asked_for_and_then_kept() -> None:
    shown = Shown.__new__(Shown)
    shown.kept = Kept("x")
    assert (shown.title, shown.kept.asked) == ("x", 0)
    assert [shown.greeting, shown.greeting, shown.kept.asked] == ["hello x", "hello x", 1]
    with pytest.raises(AttributeError, match="Shown has no other"):
        shown.other  # type: ignore[attr-defined]  # noqa: B018
