"""What asks by a GraphQL document that lies beside its module: a page, or a tool for assistants."""

from __future__ import annotations

from functools import cached_property
from importlib.resources import files

from graphql import OperationDefinitionNode, parse

from schema.pages.site.fragments import with_fragments


class WithDocument:
    """Has a document of its own, with the name of the module that declares it."""

    module: str
    """The module that declares it (`__name__`), such as `schema.pages.TOPIC.NAME`."""

    @cached_property
    def name(self) -> str:
        """Its name, which is that of its document."""
        return self.module.rpartition(".")[2]

    @cached_property
    def document(self) -> str:
        """The question that it asks."""
        package = self.module.rpartition(".")[0]
        text = files(package).joinpath(f"{self.name}.graphql").read_text("utf-8")
        return with_fragments(text)

    @cached_property
    def question(self) -> OperationDefinitionNode:
        """The operation of its document, beside which there are fragments only."""
        [found] = [
            each
            for each in parse(self.document).definitions
            if isinstance(each, OperationDefinitionNode)
        ]
        return found

    @cached_property
    def operation(self) -> str:
        """The name of its question."""
        return self.question.name.value if self.question.name else ""
