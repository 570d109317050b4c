"""Tables in TOML beside the modules that use them."""

import tomllib
from pathlib import Path
from typing import Any


def read_toml(module: str, name: str | None = None) -> dict[str, Any]:
    """Return the table beside a module (`__file__`): in the file of the same name, or in `name`."""
    path = Path(module)
    file = path.with_suffix(".toml") if name is None else path.with_name(name)
    return tomllib.loads(file.read_text("utf-8"))
