"""The base of all GraphQL types and resolvers: context, scalars, enums, ids, errors."""
