"""Make a release from the checkout.

    python -m tools.release [DIRECTORY] [--since COMMIT] [--keys DIRECTORY]

writes to DIRECTORY (default: dist):

- the source and the wheel, the clients, the Helm chart
- the versions of all libraries (`…-constraints.txt`), the bill of materials (`….cdx.json`, CycloneDX 1.6),
  the licences with their texts (`…-notices.txt`)
- the edition of the data (`….zip`) with its description, its changes since COMMIT (default: the tag before)
  and its metadata for DataCite and Zenodo
- the provenance (`….intoto.json`) and `SHA256SUMS`, signed with `--keys`

The exit code is 1 if a part must not be distributed, or if the shipped log lacks facts of corpus.jsonl. Equal
sources and libraries give equal bytes: all files have the time of the commit, or of SOURCE_DATE_EPOCH.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from tools.clients import main as build_clients
from tools.release.archive import pack
from tools.release.edition import write_edition
from tools.release.licences import troubles
from tools.release.notices import Part, notices, parts
from tools.release.provenance import commit_of, write_statement, write_sums
from tracker.audit.bundle.packed import PackedLog
from tracker.corpus.release import has_corpus
from tracker.corpus.shipped import SHIPPED_LOG
from tracker.sources.readers.corpus_format import SHIPPED_CORPUS

ROOT = Path(__file__).parents[2]
EXTRAS = "charts,demo,nats,otel,parquet,timestamps"
"""Extras of a complete installation."""


def main(directory: Path, since: str | None = None, keys: Path | None = None) -> int:
    """Make all files, and return the exit code."""
    if not asyncio.run(has_corpus(PackedLog(SHIPPED_LOG), SHIPPED_CORPUS)):
        print("the shipped log lacks facts of corpus.jsonl: run `tracker corpus release` before")
        return 1
    if directory.is_dir() and any(directory.iterdir()):
        print(f"{directory} has files, which SHA256SUMS would list: remove them")
        return 1
    os.environ.setdefault("SOURCE_DATE_EPOCH", run("git", "log", "-1", "--format=%ct").strip())
    run(sys.executable, "-m", "build", "--outdir", directory, ROOT)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    stem = directory / f"critical_minerals_policy_tracker-{version}"
    wheel = next(directory.glob(f"{stem.name}-*.whl"))
    with tempfile.TemporaryDirectory(prefix="tracker-release-") as temporary:
        parts_of_wheel = beside_wheel(wheel, stem, Path(temporary))
    build_clients(directory)
    chart = ROOT / "deploy" / "manifests" / "helm"
    pack(chart, "minerals-tracker", directory / f"minerals-tracker-{version}.tgz")
    edition = directory / f"critical-minerals-policy-data-{version}"
    write_edition(edition, version, ROOT / "LICENSE-DATA", since or tag_before())
    statement = stem.with_name(f"{stem.name}.intoto.json")
    write_statement(statement, version, commit_of(ROOT), parts_of_wheel)
    write_sums(directory, keys)
    wrong = list(troubles(parts_of_wheel))
    print(
        "\n".join(
            [
                *wrong,
                f"{len(parts_of_wheel)} parts; {len(wrong)} may not be distributed as they are",
            ]
        )
    )
    return 1 if wrong else 0


def tag_before() -> str | None:
    """Return the tag of the release before this commit, if there is one."""
    tags = run("git", "tag", "--merged", "HEAD^", "--sort=-creatordate", "v*").split()
    return tags[0] if tags else None


def beside_wheel(wheel: Path, stem: Path, temporary: Path) -> list[Part]:
    """Install a wheel into an environment, write its parts to files, and return them."""
    python = temporary / "bin" / "python"
    run(sys.executable, "-m", "venv", "--without-pip", temporary)
    pip = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python)
    run(*pip, f"{wheel}[{EXTRAS}]")
    [packages] = temporary.glob("lib/python*/site-packages")
    beside = parts(distributions(path=[str(packages)]))
    pins = "".join(f"{part.name}=={part.version}\n" for part in beside)
    stem.with_name(f"{stem.name}-constraints.txt").write_text(pins, encoding="utf-8")
    stem.with_name(f"{stem.name}-notices.txt").write_text(notices(beside), encoding="utf-8")
    write_list_of_parts(python, stem.with_name(f"{stem.name}.cdx.json"))
    return beside


def write_list_of_parts(python: Path, file: Path, *, validate: bool = True) -> None:
    """Write the packages of a Python installation as CycloneDX, and validate it, which takes seconds."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    run(
        *(tool, "environment", "--spec-version", "1.6", "--output-reproducible"),
        "--validate" if validate else "--no-validate",
        *("--pyproject", ROOT / "pyproject.toml", "--output-file", file, python),
    )


def run(*command: str | Path) -> str:
    """Return the output of a command, which is shown only if it fails."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make a release from the checkout.")
    parser.add_argument("directory", nargs="?", type=Path, default=Path("dist"))
    parser.add_argument("--since")
    parser.add_argument("--keys", type=Path)
    options = parser.parse_args()
    sys.exit(main(options.directory.resolve(), options.since, options.keys))
