"""Titles in the original language of an act."""

import re

from tracker.domain.basics.text_rules import check_address
from tracker.domain.basics.values import Name, Value
from tracker.errors import InvalidInput

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
"""A language tag of BCP 47 (RFC 5646, 2.1) in its usual capitals: language, script and region."""


class OriginalTitle(Value, frozen=True, kw_only=True):
    """A title in the language of its issuer, as in a source; not a translation by the tracker."""

    text: Name
    """The title, in its own language and script."""
    language: Name
    """The language as a tag of BCP 47, such as `zh-Hans` or `id`, as in the `lang` attribute of HTML."""
    url: Name | None = None
    """The web address of the title; null if it is in the source of the act."""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidInput("expected a title", path=("text",))
        if not LANGUAGE.fullmatch(self.language):
            raise InvalidInput(
                f"{self.language!r}: expected a language tag (BCP 47) such as 'zh-Hans' or 'fr'",
                code="INVALID_LANGUAGE",
                path=("language",),
            )

    def check_recordable(self) -> None:
        """Check that the address is a web address. Raises InvalidInput."""
        if self.url is not None:
            check_address(self.url, "url")
