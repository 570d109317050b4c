"""A table accepts all filters of its list, so that every filtered list is available as a file."""

from typing import Any

from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, parse, visit

from schema.execution.schema import CORE_SCHEMA
from schema.tables.table import Table, tables
from tests.support.cases import each_case

OF_PAGES = {"first", "after", "last", "before", "orderBy", "minPosition", "scenario"}


class RowsFinder(Visitor):
    """A visitor that finds the possible and the used arguments of a document's list."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.could: set[str] = set()
        self.has: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Visit a field, and use it if its rows are those of the table."""
        if node.alias and node.alias.value == "rows":
            field = self.types.get_field_def()
            assert field is not None
            self.could = set(field.args)
            self.has = {argument.name.value for argument in node.arguments or ()}


@each_case("table", tables().values(), ids=lambda table: table.name)
def test_every_argument_of_a_list_is_a_parameter_of_its_table(table: Table) -> None:
    types = TypeInfo(CORE_SCHEMA)
    finder = RowsFinder(types)
    visit(parse(table.document), TypeInfoVisitor(types, finder))
    assert finder.could - finder.has <= OF_PAGES
    assert finder.has - OF_PAGES <= {*table.parameters, "to", "from"}
