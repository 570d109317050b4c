"""One application with the shipped corpus for all tests that only read it."""

import pytest

from schema.services import Access, Services
from tests.support.api import Api


@pytest.fixture(scope="session")
def corpus(read_services: Services) -> Api:
    """Return the application with the shipped corpus, for reads."""
    return Api(read_services, Access())
