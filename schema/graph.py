"""The GraphQL schema, put together."""

from __future__ import annotations

from graphql import GraphQLError
from strawberry import Schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.errors import describe
from schema.limits import Documents
from schema.moments import Moments
from schema.mutations import Mutation
from schema.queries import Query
from schema.scalars import SCALARS
from schema.subscriptions import Subscription


class Graph(Schema):
    """The schema, with every error described before it leaves."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Give every error its code."""
        for error in errors:
            describe(error)


GRAPH = Graph(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Documents, Moments],
    config=StrawberryConfig(scalar_map=SCALARS),
)
