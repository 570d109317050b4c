"""Which files an import means."""

from contextlib import ExitStack

import pytest

from deploy.cli.imports import resolve_files
from tracker.errors import InvalidInput


def test_an_empty_name_is_not_a_directory() -> None:
    with ExitStack() as stack, pytest.raises(InvalidInput, match="expected the name") as caught:
        list(resolve_files(stack, [""], None))
    assert caught.value.code == "NO_SUCH_FILE"
