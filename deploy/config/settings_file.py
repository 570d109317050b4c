"""Settings in a TOML file: the names of their table in lower case, without `TRACKER_`.

A file can be handed over as secrets are (a credential of systemd, a secret of Compose or Kubernetes),
and is in no list of processes and in no environment that others read.
"""

from __future__ import annotations

import tomllib
from collections.abc import MutableMapping
from pathlib import Path

from deploy.config.setting_table import PREFIX, SETTINGS_FILE
from deploy.config.setting_values import WrongSetting
from deploy.config.settings import check_names

MAX_FILE_BYTES = 1024 * 1024


def add_settings_file(environment: MutableMapping[str, str]) -> None:
    """Add what the file of `TRACKER_SETTINGS` says to an environment, which has the last word.

    Raises WrongSetting.
    """
    file = environment.get(SETTINGS_FILE.variable)
    if not file:
        return
    try:
        for variable, value in read_settings(Path(file)).items():
            if not environment.get(variable):
                environment[variable] = value
    except OSError as error:
        raise WrongSetting(f"{SETTINGS_FILE.variable}={file}: {error.strerror}") from None
    except (WrongSetting, ValueError) as error:
        raise WrongSetting(f"{SETTINGS_FILE.variable}={file}: {error}") from None


def read_settings(path: Path) -> dict[str, str]:
    """The settings of a file, by their variables. Raises WrongSetting, ValueError and OSError."""
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise WrongSetting(f"expected at most {MAX_FILE_BYTES} bytes")
    read = tomllib.loads(content.decode("utf-8"))
    for name in read:
        if not name.islower() or f"{PREFIX}{name.upper()}" == SETTINGS_FILE.variable:
            raise WrongSetting(f"{name} is no setting of a file")
    found = {f"{PREFIX}{name.upper()}": _text(name, value) for name, value in read.items()}
    check_names(found)
    return found


def _text(name: str, value: object) -> str:
    """A value as a variable has it: lists with commas, tables as pairs with commas."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return ",".join(f"{word}={meaning}" for word, meaning in value.items())
    raise WrongSetting(f"{name}: expected a text, a number, a list or a table of texts")
