"""The environment of a command: the names of its settings, and their TOML file.

In the file the names of the table are in lower case, without `TRACKER_`. A file can be handed over as secrets
are (a credential of systemd, a secret of Compose or Kubernetes). No list of processes shows it.
"""

import tomllib
from collections.abc import Iterable, MutableMapping
from difflib import get_close_matches
from pathlib import Path

from deploy.config.table import PREFIX, SETTINGS, SETTINGS_FILE, WrongSetting

MAX_FILE_BYTES = 1024 * 1024


def add_settings_file(environment: MutableMapping[str, str]) -> None:
    """Add the file of `TRACKER_SETTINGS` to an environment, whose variables win. Raises WrongSetting."""
    file = SETTINGS_FILE.text(environment)
    if not file:
        return
    try:
        for variable, value in read_settings(Path(file)).items():
            if not environment.get(variable):
                environment[variable] = value
    except OSError as error:
        raise SETTINGS_FILE.wrong(str(error.strerror), file) from None
    except (WrongSetting, ValueError) as error:
        raise SETTINGS_FILE.wrong(str(error), file) from None


def read_settings(path: Path) -> dict[str, str]:
    """Return the settings of a file by their variables. Raises WrongSetting, ValueError and OSError."""
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise WrongSetting(f"expected at most {MAX_FILE_BYTES} bytes")
    values = tomllib.loads(content.decode("utf-8"))
    for name in values:
        if not name.islower() or f"{PREFIX}{name.upper()}" == SETTINGS_FILE.variable:
            raise WrongSetting(f"{name} is not a setting of a file")
    settings = {f"{PREFIX}{name.upper()}": _text(name, value) for name, value in values.items()}
    check_names(settings)
    return settings


def check_names(variables: Iterable[str]) -> None:
    """Refuse variables with our prefix that are not settings, such as misspelt ones. Raises WrongSetting."""
    names = [setting.variable.removeprefix(PREFIX) for setting in SETTINGS]
    for variable in sorted(variables):
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in names:
            [nearest] = get_close_matches(name, names, n=1, cutoff=0)
            raise WrongSetting(f"{variable} is not a setting: did you mean {PREFIX}{nearest}?")


def _text(name: str, value: object) -> str:
    """Return a value as its variable has it: lists with commas, tables as pairs with commas."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return ",".join(f"{word}={meaning}" for word, meaning in value.items())
    raise WrongSetting(f"{name}: expected a text, a number, a list or a table of texts")
