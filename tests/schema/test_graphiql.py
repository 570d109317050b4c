"""The page for queries, with GraphiQL and without: no foreign resources."""

import re
from pathlib import Path

import pytest

from schema.http import graphiql
from schema.services import Services
from tests.support.api import Api

HTML = {"Accept": "text/html"}


@pytest.fixture(params=[True, False], ids=["GraphiQL", "our own"])
def with_graphiql(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether GraphiQL is installed."""
    if request.param and graphiql.graphiql() is None:
        pytest.skip("graphene-django-graphiql-static is not installed")
    if not request.param:
        monkeypatch.setattr(graphiql, "graphiql", lambda: None)
    return bool(request.param)


async def test_all_that_the_page_names_is_served_here(
    services: Services, with_graphiql: bool
) -> None:
    api = Api(services)
    page = (await api.request("GET", "/graphql", headers=HTML)).text
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert (len(named) > 4) == with_graphiql
    for path in named:
        response = await api.request("GET", f"/{path}")
        assert response.status_code == 200, path
    for about in graphiql.EXAMPLES:
        assert about in page


async def test_only_the_scripts_of_the_page_may_run(
    services: Services, with_graphiql: bool
) -> None:
    response = await Api(services).request("GET", "/graphql", headers=HTML)
    policy = response.headers["content-security-policy"]
    [scripts] = re.findall(r"script-src ([^;]+);", policy)
    assert re.fullmatch(r"'self' 'sha256-[\w+/]+='", scripts)
    assert response.headers["vary"] == "Accept"
    own = graphiql.INLINE.findall(response.text)
    assert len(own) == 1
    assert graphiql.policy(response.text.replace(own[0], own[0] + " ")) != policy


async def test_other_files_are_not_served(services: Services, with_graphiql: bool) -> None:
    api = Api(services)
    for name in ("views.py", "..%2Fviews.py", "graphiql.js", "style.css"):
        assert (await api.request("GET", f"/graphiql/{name}")).status_code == 404


def test_an_incomplete_package_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "half"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(graphiql, "PACKAGE", "half")
    assert graphiql.graphiql.__wrapped__() is None
