"""Large libraries that few tests use: each is loaded by the first test that uses it, not at collection."""

from importlib import import_module
from typing import Any


class Library:
    """A library that is imported when one of its names is read."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # pytest reads such names of all that a module has
            raise AttributeError(name)
        return getattr(import_module(self._name), name)


coloraide = Library("coloraide")
csvw = Library("csvw")
jsonschema = Library("jsonschema")
mcp = Library("mcp")
mlcroissant = Library("mlcroissant")
openapi_spec_validator = Library("openapi_spec_validator")
openpyxl = Library("openpyxl")
pypdf = Library("pypdf")
