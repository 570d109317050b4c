"""The GraphQL schema, put together."""

from __future__ import annotations

from graphql import GraphQLError
from strawberry import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.errors import describe, hide_names
from schema.limits import Documents, Timed
from schema.moments import Moments
from schema.mutations import Mutation
from schema.queries import Query
from schema.scalars import SCALARS
from schema.seen import seen
from schema.subscriptions import Subscription


class Graph(Schema):
    """The schema, with every error described before it leaves."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Give every error its code, and say which came first."""
        context = execution_context.context if execution_context else None
        for error in errors:
            if context is not None and not context.access.introspection:
                hide_names(error)
            describe(error)
            seen().failed(error.extensions["code"] if error.extensions else "ERROR")


GRAPH = Graph(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Documents, Moments],
    execution_context_class=Timed,
    config=StrawberryConfig(scalar_map=SCALARS),
)
