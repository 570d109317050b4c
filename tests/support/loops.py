"""In which event loop tests run."""

from __future__ import annotations

import pytest

IN_SESSION = pytest.mark.asyncio(loop_scope="session")
"""With what all tests of a session share."""
IN_FUNCTION = pytest.mark.asyncio(loop_scope="function")
"""With what a test has for itself."""
