"""Descriptions of fields of inputs and outputs and of words, each written once.

The docstring of a field comes first, in its output type or its struct, and that of a word in its
vocabulary. Fields without one are described in `descriptions.toml`: under `Class.field`, or under `field`
for all structs with this field.
"""

import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tracker.domain.basics.toml_files import read_toml

DESCRIPTIONS: Mapping[str, str] = read_toml(__file__)
CLASS_OR_FIELD = re.compile(
    r'''^class\ (?P<kind>\w+)
    | ^\ {4}(?P<field>\w+)(?::|\ =)\ .*\n     # a field, or a word, whose first line ends here
      (?:\ {8}.*\n | \ {4}[])].*\n)*  # more lines of it, as ruff formats them
      \ {4}"""(?P<docstring>(?:.|\n)+?)"""''',
    re.MULTILINE | re.VERBOSE,
)
"""Pattern of the classes of a module, and of their fields with docstrings."""


def describe(name: str, *structs: type) -> str:
    """Return the description of a field or property, from the first struct that has one.

    Raises LookupError without one.
    """
    for struct in structs:
        member = getattr(struct, name, None)
        if isinstance(member, property):
            return " ".join(str(member.__doc__).split())
        for kind in struct.__mro__:
            described = DESCRIPTIONS.get(f"{kind.__name__}.{name}") or docstring_of(kind, name)
            if described:
                return described
    if name not in DESCRIPTIONS:
        raise LookupError(f"{structs[0].__name__}.{name} has no docstring, and is in no table")
    return DESCRIPTIONS[name]


def docstring_of(kind: type, name: str) -> str | None:
    """Return the docstring of a field in its class, or of a word; None without one."""
    return _docstrings(kind.__module__).get(f"{kind.__name__}.{name}")


@cache
def _docstrings(module: str) -> Mapping[str, str]:
    """Return the docstrings of fields in a module of this project, by `Class.field`."""
    if module.partition(".")[0] not in ("tracker", "projections", "schema"):
        return {}
    by_name, kind = {}, ""
    source = Path(str(sys.modules[module].__file__)).read_text("utf-8")
    for match in CLASS_OR_FIELD.finditer(source):
        kind = match["kind"] or kind
        if match["field"]:
            by_name[f"{kind}.{match['field']}"] = " ".join(match["docstring"].split())
    return by_name
