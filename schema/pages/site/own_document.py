"""Base of objects with a GraphQL document beside their module: pages, and tools for assistants."""

from functools import cached_property
from importlib.resources import files

from graphql import OperationDefinitionNode, parse

from schema.pages.site.fragments import with_fragments


class WithDocument:
    """An object with its own document, with the name of the declaring module."""

    module: str
    """Declaring module (`__name__`), such as `schema.pages.TOPIC.NAME`."""

    @cached_property
    def name(self) -> str:
        """Return its name, which is that of its document."""
        return self.module.rpartition(".")[2]

    @cached_property
    def document(self) -> str:
        """Return its query."""
        package = self.module.rpartition(".")[0]
        text = files(package).joinpath(f"{self.name}.graphql").read_text("utf-8")
        return with_fragments(text)

    @cached_property
    def query(self) -> OperationDefinitionNode:
        """Return the operation of its document, which otherwise contains only fragments."""
        [operation] = [
            each
            for each in parse(self.document).definitions
            if isinstance(each, OperationDefinitionNode)
        ]
        return operation

    @cached_property
    def operation(self) -> str:
        """Return the name of its query."""
        return self.query.name.value if self.query.name else ""
