"""Table of all settings, from `settings.toml`; a test compares it with docs/settings.md.

A secret is never a flag, because the process list shows flags.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from tracker.domain.basics.toml_files import read_toml
from tracker.errors import InvalidInput
from tracker.web.networks import Networks

PREFIX = "TRACKER_"
Choice = TypeVar("Choice", bound=StrEnum)


class WrongSetting(InvalidInput):
    """A setting that does not exist, or that has a value outside its range. The message names the
    variable."""

    code = "WRONG_SETTING"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: its environment variable, its default, its meaning, its flag if it has one.

    Each method reads the value from an environment, and raises WrongSetting."""

    variable: str
    default: str
    meaning: str
    flag: str | None = None

    def text(self, environment: Mapping[str, str]) -> str | None:
        """Return the value, or None if the variable is unset or empty."""
        return environment.get(self.variable) or None

    def secret(self, environment: Mapping[str, str]) -> str | None:
        """Return a token. A header could not carry other characters, or an error would print them."""
        value = self.text(environment)
        if value and not (value.isascii() and value.isprintable() and " " not in value):
            raise self.wrong("expected printable ASCII without spaces")
        return value

    def word(self, words: tuple[str, ...], environment: Mapping[str, str]) -> str:
        """Return one of some words."""
        value = self.text(environment) or self.default
        if value not in words:
            raise self.wrong(f"expected {' or '.join(words)}", value)
        return value

    def choice(self, kind: type[Choice], environment: Mapping[str, str]) -> Choice:
        """Return a member of an enumeration."""
        return kind(self.word(tuple(kind), environment))

    def number(self, least: int, environment: Mapping[str, str]) -> int:
        """Return a whole number of at most nine digits."""
        value = self.text(environment) or self.default.partition(":")[0]
        if not re.fullmatch("[0-9]{1,9}", value) or int(value) < least:
            raise self.wrong(f"expected a number from {least} on", value)
        return int(value)

    def items(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """Return texts that commas separate."""
        parts = (self.text(environment) or "").split(",")
        return tuple(part.strip() for part in parts if part.strip())

    def networks(self, environment: Mapping[str, str]) -> Networks:
        """Return networks of IP addresses that commas separate."""
        try:
            return Networks.parse(self.items(environment))
        except InvalidInput as error:
            raise self.wrong(error.message) from None

    def wrong(self, problem: str, value: str | None = None) -> WrongSetting:
        """Return the error for a value; secrets are not repeated."""
        return WrongSetting(f"{self.variable}{'' if value is None else f'={value}'}: {problem}")


TABLE = {
    name: Setting(**{"variable": f"{PREFIX}{name}", **of})
    for name, of in read_toml(__file__, "settings.toml").items()
}
"""All settings by name, in the order of the file."""
SETTINGS = tuple(TABLE.values())
SETTINGS_FILE = TABLE["SETTINGS_FILE"]
