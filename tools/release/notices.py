"""Third-party notices: the licences and texts of all packages in an environment.

python tools/release/notices.py [DIRECTORY of packages] > THIRD-PARTY-NOTICES.txt

It needs only Python, so it can run in an image build.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import cast

OURS = "critical-minerals-policy-tracker"
RULES = tomllib.loads(Path(__file__).with_name("licences.toml").read_text(encoding="utf-8"))
TEXT = re.compile(r"(licen[cs]e|copying|notice|authors|third.party)[^/]*$", re.IGNORECASE)
RULER = "=" * 78


@dataclass(frozen=True, slots=True)
class Part:
    """A third-party distribution."""

    name: str
    version: str
    licence: str
    """SPDX expression; empty if unknown."""
    address: str
    texts: tuple[str, ...]


def parts(installed: Iterable[Distribution]) -> list[Part]:
    """Return the installed parts except the tracker, by name."""
    by_name = {normal(each.name): each for each in installed}
    by_name.pop(OURS, None)
    return [
        Part(
            each.name,
            each.version,
            licence_of(name, fields_of(each)),
            address_of(fields_of(each)),
            tuple(texts_of(each)),
        )
        for name, each in sorted(by_name.items())
    ]


def normal(name: str) -> str:
    """Return the normalized name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fields_of(distribution: Distribution) -> Message:
    """Return the metadata of a distribution as mail headers."""
    return cast(Message, distribution.metadata)


def licence_of(name: str, metadata: Message) -> str:
    """Return the SPDX expression of a distribution, or an empty text if it is uncertain. Pure.

    It comes from its metadata, from a review of its text, or from the meaning of its words.
    """
    if stated := metadata.get("License-Expression") or RULES["read"].get(name):
        return str(stated)
    licence_text = str(metadata.get("License") or "").strip()
    if licence_text in RULES["allowed"]:
        return licence_text
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in metadata.get_all("Classifier") or []
        if each.startswith("License :: ")
    ]
    meant = {RULES["words"].get(word, "") for word in classifiers or [licence_text]}
    return meant.pop() if len(meant) == 1 else ""


def address_of(metadata: Message) -> str:
    """Return the home page of a distribution."""
    urls = [str(each).partition(", ") for each in metadata.get_all("Project-URL") or []]
    named = [url for label, _, url in urls if re.search("source|repo|home|github", label, re.I)]
    return next(
        iter([*named, *(url for _, _, url in urls), str(metadata.get("Home-page") or "")]), ""
    )


def texts_of(distribution: Distribution) -> Iterator[str]:
    """Yield the distinct texts of licences and notices in a distribution."""
    seen = set()
    for file in sorted(distribution.files or (), key=str):
        if ".dist-info" in file.parts[0] and TEXT.search(str(file)) and file.suffix != ".py":
            text = Path(str(file.locate())).read_text(encoding="utf-8", errors="replace").strip()
            if text and text not in seen:
                seen.add(text)
                yield text


def notices(parts: Iterable[Part]) -> str:
    """Return the notices as a text. Pure."""
    blocks = [
        "Parts that others wrote, their licences, and the texts of these.\n"
        "The tracker itself is under Apache-2.0, its data under CC BY 4.0."
    ]
    for part in parts:
        head = f"{part.name} {part.version}\n{part.licence}\n{part.address}".rstrip()
        blocks.append("\n\n".join([f"{RULER}\n{head}", *part.texts]))
    return "\n\n".join(blocks) + "\n"


def main(arguments: list[str]) -> None:
    """Print the notices of this environment, or of a directory of packages."""
    print(notices(parts(distributions(path=arguments or sys.path))), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
