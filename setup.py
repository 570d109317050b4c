"""What pyproject.toml can't say: the description that a package index shows, which is README.md
without its pictures and links into the repository, which would lead nowhere there; and the documents, which
a wheel has in the package that shows them."""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PICTURE = re.compile(r"!\[[^\]]*\]\((?!https?://)[^)]+\)\n*")
LINK_TO_FILE = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]+\)")
ROOT = Path(__file__).parent
DOCUMENTS = ("*.md", "docs/*.md", "docs/*/*.md", "docs/screens/*")
PACKED = Path("schema", "pages", "docs", "files")


class BuildWithDocuments(build_py):
    """Copies the documents into the package, at their paths in the checkout; an installation that
    is the checkout itself reads them where they are."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        for pattern in DOCUMENTS:
            for path in sorted(ROOT.glob(pattern)):
                copy = Path(self.build_lib) / PACKED / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)


setup(
    cmdclass={"build_py": BuildWithDocuments},
    long_description=LINK_TO_FILE.sub(
        r"\1", PICTURE.sub("", (ROOT / "README.md").read_text(encoding="utf-8"))
    ),
    long_description_content_type="text/markdown",
)
