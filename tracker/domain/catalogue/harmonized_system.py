"""Codes of the Harmonized System, and the forms of their goods."""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from tracker.domain.basics.control_vocabulary import Form
from tracker.errors import InvalidInput

ORE = (Form.ORE, Form.CONCENTRATE)
METAL = (Form.METAL, Form.ALLOY)
OXIDE = (Form.OXIDE, Form.COMPOUND)

FORMS: dict[str, tuple[Form, ...]] = {
    **dict.fromkeys(("2510", "2511", "2519", "252921", "252922", "253090"), ORE),
    "251990": (Form.OXIDE,),
    **dict.fromkeys((str(heading) for heading in range(2601, 2618)), ORE),
    **dict.fromkeys(("2804", "2805"), (Form.METAL,)),
    **dict.fromkeys((str(heading) for heading in range(2817, 2825)), (Form.OXIDE,)),
    "2822": (Form.OXIDE, Form.INTERMEDIATE),
    "2825": OXIDE,
    "282540": (Form.OXIDE, Form.INTERMEDIATE),
    **dict.fromkeys((str(heading) for heading in range(2826, 2843)), (Form.COMPOUND,)),
    "2844": (*OXIDE, *METAL),
    "2846": OXIDE,
    **dict.fromkeys(("2849", "2850", "2853", "2931"), (Form.COMPOUND,)),
    "3818": (Form.ARTICLE,),
    **dict.fromkeys(("7106", "7108", "7110"), (*METAL, Form.ARTICLE)),
    "7112": (Form.SCRAP,),
    "7201": (Form.METAL,),
    "7202": (Form.ALLOY,),
    "720260": (Form.ALLOY, Form.INTERMEDIATE),
    "7204": (Form.SCRAP,),
    **dict.fromkeys(("7401", "7501"), (Form.INTERMEDIATE,)),
    **dict.fromkeys(("7402", "7406", "7504", "7603", "7903"), (Form.METAL,)),
    **dict.fromkeys(("7403", "7502", "7601", "7801", "7901", "8001"), METAL),
    **dict.fromkeys(("7404", "7503", "7602", "7802", "7902", "8002"), (Form.SCRAP,)),
    "7405": (Form.ALLOY,),
    **dict.fromkeys((str(heading) for heading in range(7407, 7420)), (Form.ARTICLE,)),
    **dict.fromkeys((str(heading) for heading in range(7505, 7509)), (Form.ARTICLE,)),
    **dict.fromkeys((str(heading) for heading in range(7604, 7617)), (Form.ARTICLE,)),
    **dict.fromkeys((str(heading) for heading in range(8101, 8113)), (*METAL, Form.ARTICLE)),
    **dict.fromkeys(("8106", "8111"), (*METAL, Form.SCRAP, Form.ARTICLE)),
    **dict.fromkeys(("810197", "810297", "810330", "810420", "810530"), (Form.SCRAP,)),
    **dict.fromkeys(("810830", "810931", "810939", "811020", "811213"), (Form.SCRAP,)),
    **dict.fromkeys(("811222", "811252", "811261"), (Form.SCRAP,)),
    "810520": (*METAL, Form.INTERMEDIATE),
    **dict.fromkeys(("811231", "811241", "811292"), (*METAL, Form.SCRAP)),
    **dict.fromkeys(("811239", "811249", "811299"), (*METAL, Form.ARTICLE)),
    **dict.fromkeys(("8506", "8507"), (Form.ARTICLE,)),
    "850511": (Form.MAGNET,),
}
"""Forms by heading or subheading; the longer code has precedence. Other codes do not determine a form."""

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
