"""Print the schema: `python -m schema.execution.print_sdl > schema/schema.graphql`."""

from schema.execution.schema import SCHEMA

if __name__ == "__main__":
    print(SCHEMA.as_str())
