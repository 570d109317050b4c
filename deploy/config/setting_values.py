"""How the value of a setting is read, and refused with the name of its variable."""

from __future__ import annotations

import re
from collections.abc import Mapping

from deploy.config.setting_table import Setting
from tracker.errors import InvalidInput


class WrongSetting(InvalidInput):
    """A setting that does not exist, or has no value that it may have: names the variable."""

    code = "WRONG_SETTING"


def read_secret(setting: Setting, environment: Mapping[str, str]) -> str | None:
    """A token. What a header can't carry would never be accepted, or show up in an error."""
    given = environment.get(setting.variable) or None
    if given and not (given.isascii() and given.isprintable() and " " not in given):
        raise WrongSetting(f"{setting.variable}: expected printable ASCII without spaces")
    return given


def read_word(setting: Setting, values: tuple[str, ...], environment: Mapping[str, str]) -> str:
    given = environment.get(setting.variable) or setting.default
    if given not in values:
        raise WrongSetting(f"{setting.variable}={given}: expected {' or '.join(values)}")
    return given


def read_number(setting: Setting, least: int, environment: Mapping[str, str]) -> int:
    given = environment.get(setting.variable) or setting.default.partition(":")[0]
    if not re.fullmatch("[0-9]{1,9}", given) or int(given) < least:
        raise WrongSetting(f"{setting.variable}={given}: expected a number from {least} on")
    return int(given)


def read_list(setting: Setting, environment: Mapping[str, str]) -> tuple[str, ...]:
    given = environment.get(setting.variable, "").split(",")
    return tuple(text.strip() for text in given if text.strip())
