"""A mutation passes few files: `python -m tools.request_path` lists them."""

from schema.services import Services
from tools.request_path import mutation_path

MAX_FILES = 83
"""The aim is 50."""


async def test_a_mutation_passes_few_files(services: Services) -> None:
    path = await mutation_path(services)
    assert len(path.files) <= MAX_FILES, "\n".join(path.files)
    assert {"schema/http/graphql_http.py", "tracker/log/append.py"} <= path.request.keys()
    assert "projections/versions/projection.py" in path.beside
