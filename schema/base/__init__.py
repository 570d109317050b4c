"""What every GraphQL type and resolver is made with: context, scalars, enums, ids, errors."""
