"""Rules for the wording of new texts, addresses and numbers. Pure.

Texts are stored unchanged or rejected. No Unicode normalization is required: names of entities are ASCII, and
a quotation is in the words of its source.
"""

import re
import unicodedata
from decimal import Decimal
from urllib.parse import urlsplit

from tracker.errors import InvalidInput

CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
"""Characters that control a terminal or end a line, and lone surrogates; without tabs, line feeds and
carriage returns."""
DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Characters that change the display order of text."""
INVISIBLE = "\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
"""Invisible characters. The joiners U+200C and U+200D are not included: words in Persian and in languages
of India need them."""

NOT_IN_TEXT = re.compile(f"[{CONTROLS}{DIRECTIONS}{INVISIBLE}]|\r(?!\n)")
NOT_IN_LINE = re.compile(f"[{CONTROLS}{DIRECTIONS}{INVISIBLE}\t\n\r]")
BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that are displayed as blank."""

ADDRESS = re.compile(
    r"https?://(?:\[[0-9a-f:.]+\]|[^\s/?#@:\[\]\\<>\"^`{|}%]+)(?::[0-9]{1,5})?(?:[/?#][^\s\\<>\"]*)?",
    re.IGNORECASE,
)
SCHEME = re.compile(r"[a-z]+:(?://)?", re.IGNORECASE)
QUERY = re.compile("[?#]")
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
MAX_DIGITS = 30
"""Maximum number of digits, and maximum distance of the first and last digit from the decimal point."""
MAX_EXPLANATION_CHARACTERS = 500


def check_line(text: str, *path: str | int) -> None:
    """Reject a name, a title or a reference that is not one line of visible text.

    Raises InvalidInput at `path`.
    """
    if text.isascii() and text.isprintable() and not text.isspace() and text:
        return  # true of most texts
    if bad := NOT_IN_LINE.search(text):
        raise _odd_character(bad[0], "one line of text", path)
    if not is_visible(text):
        raise InvalidInput(
            "expected at least one visible character", code="INVALID_TEXT", path=path
        )


def check_text(text: str, *path: str | int) -> None:
    """Reject running text with characters that change its display. Raises InvalidInput."""
    if bad := NOT_IN_TEXT.search(text):
        raise _odd_character(bad[0], "text", path)


def _odd_character(character: str, description: str, path: tuple[str | int, ...]) -> InvalidInput:
    name = unicodedata.name(character, "a control character")
    return InvalidInput(
        f"expected {description}, without U+{ord(character):04X} ({name})",
        code="INVALID_TEXT",
        path=path,
    )


def is_visible(text: str) -> bool:
    """Return whether a text has a visible character."""
    if text.isascii():
        return bool(text) and not text.isspace()
    return any(
        unicodedata.category(letter)[0] in "LNPS" and letter not in BLANK_LETTERS for letter in text
    )


def check_explanation(reason: str | None, *, required: bool = False) -> None:
    """Reject an invalid explanation, which is stored outside the log: an empty or too long one.

    Raises InvalidInput at `reason`.
    """
    if reason is None and not required:
        return
    if not reason or not (
        reason.strip()
        and len(reason) <= MAX_EXPLANATION_CHARACTERS
        and reason.replace("\n", " ").isprintable()
    ):
        raise InvalidInput(
            f"expected why, in at most {MAX_EXPLANATION_CHARACTERS} printable characters",
            path=("reason",),
        )


def check_address(text: str, *path: str | int) -> None:
    """Reject a text that is not an http or https address with a host, or that contains a user.

    Raises InvalidInput at `path`.
    """
    if not is_address(text):
        raise InvalidInput(
            "expected an address that begins with https:// or http:// and a host,"
            " such as https://www.usgs.gov/",
            code="INVALID_URL",
            path=path,
        )


def is_address(text: str) -> bool:
    """Return whether a text is a valid http or https address without a user."""
    try:
        return bool(ADDRESS.fullmatch(text)) and urlsplit(text).port != 0
    except ValueError:
        return False


def usable_address(text: str) -> str | None:
    """Return an untrusted address without a user, and with invalid characters percent-encoded.

    Returns None if it is not an http or https address.
    """
    try:
        address = text
        if not (is_address(text) and text.isprintable()):
            from yarl import URL  # imported here, because the command-line help needs this module

            address = str(URL(text).with_user(None))
    except ValueError:
        return None
    return address if is_address(address) and address.isprintable() else None


def address_without_query(text: str) -> str:
    """Return an address for messages, without its query and without a user and password.

    For an invalid address only the scheme is returned, because any other part may be a secret.
    """
    scheme = SCHEME.match(text)
    begin = scheme[0] if scheme else ""
    if not is_address(text):
        return f"{begin}…"
    _, user, rest = text[len(begin) :].rpartition("@")
    return begin + ("…@" if user else "") + QUERY.split(rest, maxsplit=1)[0]


def check_digits(number: Decimal, *path: str | int) -> None:
    """Reject a number that is not finite or has too many digits. Raises InvalidInput."""
    _, digits, exponent = number.as_tuple()
    if (
        not isinstance(exponent, int)
        or len(digits) > MAX_DIGITS
        or abs(exponent) > MAX_DIGITS
        or abs(number.adjusted()) > MAX_DIGITS
    ):
        raise InvalidInput(
            f"expected a number of at most {MAX_DIGITS} digits", code="INVALID_NUMBER", path=path
        )


def check_notation(text: str, *path: str | int) -> None:
    """Reject a number that is not in digits 0 to 9 with a decimal point.

    Raises InvalidInput at `path`.
    """
    if not NUMBER.fullmatch(text):
        raise InvalidInput(
            "expected a number as digits 0 to 9 with a decimal point, such as 1250.5",
            code="INVALID_NUMBER",
            path=path,
        )


def check_not_negative(number: Decimal | int | None, *path: str | int) -> None:
    """Reject a negative number, and one that is not finite. Raises InvalidInput."""
    if isinstance(number, Decimal) and not number.is_finite():
        raise InvalidInput("expected a finite number", code="INVALID_NUMBER", path=path)
    if number is not None and number < 0:
        raise InvalidInput(
            f"expected a number from 0, got {number}", code="OUT_OF_RANGE", path=path
        )


def check_percent(number: Decimal | None, *path: str | int) -> None:
    """Reject a number outside 0 to 100 percent. Raises InvalidInput."""
    check_not_negative(number, *path)
    if number is not None and number > 100:
        raise InvalidInput(
            f"expected at most 100 percent, got {number}", code="OUT_OF_RANGE", path=path
        )
