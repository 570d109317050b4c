"""Event loops of tests."""

import pytest

IN_SESSION = pytest.mark.asyncio(loop_scope="session")
"""For fixtures shared by all tests of a session."""
IN_FUNCTION = pytest.mark.asyncio(loop_scope="function")
"""For fixtures of a single test."""
