"""Codes of the Harmonized System, and the forms of their goods."""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from tracker.domain.basics.control_vocabulary import Form
from tracker.domain.basics.toml_files import read_toml
from tracker.errors import InvalidInput

FORMS: dict[str, tuple[Form, ...]] = {
    code: tuple(map(Form, goods["forms"]))
    for goods in read_toml(__file__)["goods"]
    for code in goods["codes"]
}
"""Forms by heading or subheading, from `harmonized_system.toml`."""

INTERNATIONAL_DIGITS = 6
"""Number of digits of a code of the Harmonized System; the others are national."""
MAX_NEAREST = 3


def check_exists(code: str) -> None:
    """Check that a code, or the code that a tariff line belongs to, is in an edition since 2017.

    Raises InvalidInput with the nearest codes.
    """
    known, own = _codes(), code[:INTERNATIONAL_DIGITS]
    if own in known:
        return
    same_heading = sorted(one for one in known if one.startswith(own[:4]) and len(one) == len(own))
    near = get_close_matches(own, same_heading or sorted(known), MAX_NEAREST, cutoff=0)
    raise InvalidInput(
        f"{own!r} is not a code of the Harmonized System of 2017 or 2022: the nearest codes are"
        f" {', '.join(near)}",
        code="UNKNOWN_HS_CODE",
        path=("hsCode",),
    )


@cache
def _codes() -> frozenset[str]:
    """Return the headings and subheadings of both editions."""
    codes: set[str] = set()
    for line in files(__package__).joinpath("hs_codes.txt").read_text("ascii").splitlines()[1:]:
        heading, *ends = line.split()
        codes.update((heading, *(heading + end for end in ends)))
    return frozenset(codes)


@cache
def forms_of_code(code: str) -> frozenset[Form]:
    """Return the possible forms of the goods of a code; empty if the code does not determine them.

    A heading includes its subheadings; a tariff line belongs to its subheading.
    """
    above = next((FORMS[code[:n]] for n in range(len(code), 3, -1) if code[:n] in FORMS), ())
    below = {form for known, forms in FORMS.items() if known.startswith(code) for form in forms}
    return frozenset(below.union(above) if above else ())
