"""Setuptools hooks that pyproject.toml cannot express.

They set the description for a package index: README.md without pictures and links into the repository.
They name the addresses of the project if `PROJECT_URL` is set to that of its repository on a forge.
They add the documentation to the package that shows it. They make source distributions reproducible to
the byte.
"""

import gzip
import os
import re
import shutil
import tarfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

PICTURE = re.compile(r"!\[[^\]]*\]\((?!https?://)[^)]+\)\n*")
LINK_TO_FILE = re.compile(r"\[([^\]]+)\]\((?!https?://)[^)]+\)")
ROOT = Path(__file__).parent
DOCUMENTS = ("*.md", "docs/*.md", "docs/*/*.md", "docs/screens/*")
PACKED = Path("schema", "pages", "docs", "files")
os.umask(0o022)  # what is made here has the same rights whoever makes it


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


class ReproducibleSource(sdist):
    """Pack equal files to equal bytes if `SOURCE_DATE_EPOCH` is set.

    Order, owner, time and rights are fixed. Wheels are reproducible without this.
    """

    def make_archive(self, base_name, format, root_dir=None, base_dir=None, **more):
        moment = os.environ.get("SOURCE_DATE_EPOCH")
        if format != "gztar" or not moment:
            return super().make_archive(base_name, format, root_dir, base_dir, **more)

        def of_nobody(member):
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mtime = int(moment)
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            return member

        made = Path(f"{base_name}.tar.gz")
        top = Path(root_dir or ".")
        with (
            made.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=int(moment)) as packed,
            tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in [top / base_dir, *sorted((top / base_dir).rglob("*"))]:
                archive.add(path, path.relative_to(top), recursive=False, filter=of_nobody)
        return str(made)


ADDRESSES = {
    "Source": "",
    "Documentation": "/blob/HEAD/docs/index.md",
    "Changelog": "/blob/HEAD/CHANGELOG.md",
    "Issues": "/issues",
}
project_url = os.environ.get("PROJECT_URL", "").rstrip("/")

setup(
    project_urls={name: project_url + path for name, path in ADDRESSES.items() if project_url},
    cmdclass={"build_py": BuildWithDocuments, "sdist": ReproducibleSource},
    long_description=LINK_TO_FILE.sub(
        r"\1", PICTURE.sub("", (ROOT / "README.md").read_text(encoding="utf-8"))
    ),
    long_description_content_type="text/markdown",
)
