"""All facts of the domain that can be recorded, by the names of their mutations.

`fact_mutations.toml` lists them; the domain validates them.
"""

from enum import Enum
from typing import Any

import strawberry
from msgspec import Struct
from strawberry import enum_value

from schema.base.global_ids import key_of
from schema.inputs.input_types import input_type
from tracker.domain.actors.alliance import Alliance, MemberJoined, MemberLeft
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.toml_files import read_toml
from tracker.domain.entities.entity import KINDS, Entity
from tracker.domain.entities.fact import Fact
from tracker.domain.events.registry import FACTS


class FactMutation(Struct, frozen=True):
    """A mutation that records one kind of fact."""

    name: str
    fact: type[Fact]
    entity_type: type[Entity]
    description: str

    @property
    def names_entity(self) -> bool:
        """Return whether the fact names its entity, so that the input has no id."""
        return self.fact.stream is not Fact.stream

    def to_fact(self, data: dict[str, Any]) -> tuple[str, Fact]:
        """Return the stream and the fact of an input.

        The fact names its entity, or the id of the input does. This id may be a key, also of an entity that
        does not exist yet.
        """
        fact = from_builtins(self.fact, {name: of for name, of in data.items() if name != "id"})
        if fact.stream:
            return fact.stream, fact
        return (
            f"{self.entity_type.KIND}/{key_of(self.entity_type.KIND, data['id']) or data['id']}",
            fact,
        )


ENTITY_TYPES = {type_: kind for kind in KINDS.values() for type_ in kind.FACTS}
FACT_MUTATIONS = tuple(
    FactMutation(name, FACTS[of["fact"]], ENTITY_TYPES[of["fact"]], of["description"])
    for name, of in read_toml(__file__).items()
)


@strawberry.enum(description="Changes of a membership.")
class MembershipChange(Enum):
    """Changes of a membership."""

    JOINED = enum_value("joined", description="The place becomes a member.")
    LEFT = enum_value("left", description="The place is no longer a member.")


def parse_membership(data: dict[str, Any]) -> tuple[str, Fact]:
    """Return the stream and the fact of a change of membership."""
    joined = data["change"] == MembershipChange.JOINED.value
    act = FactMutation("", MemberJoined if joined else MemberLeft, Alliance, "")
    return act.to_fact({name: of for name, of in data.items() if name != "change"})


INPUT_PARSERS = {
    **{act.name: act.to_fact for act in FACT_MUTATIONS},
    "recordMembership": parse_membership,
}
"""Parsers of the inputs of fact mutations, by name."""


def input_of_mutation(act: FactMutation) -> type[Any]:
    """Return the input type of a mutation: the fact, with the id of the entity unless the fact names it."""
    id = {} if act.names_entity else {"id": str}
    return input_type(f"{act.name[0].upper()}{act.name[1:]}Input", act.fact, act.description, id)


MEMBERSHIP = input_type(
    "RecordMembershipInput",
    MemberJoined,
    "Records that a place joins or leaves an alliance.",
    {"id": str, "change": MembershipChange},
)
INPUTS = {
    **{act.name: input_of_mutation(act) for act in FACT_MUTATIONS},
    "recordMembership": MEMBERSHIP,
}
"""Inputs of all mutations that record a fact."""
