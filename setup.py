"""The description that a package index shows: README.md without its links into the repository,
which would lead nowhere there. Everything else about the package is in pyproject.toml."""

import re
from pathlib import Path

from setuptools import setup

LINK_TO_FILE = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]+\)")

setup(
    long_description=LINK_TO_FILE.sub(
        r"\1", Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    ),
    long_description_content_type="text/markdown",
)
