"""Make a release from the checkout.

    python -m tools.release [DIRECTORY]

writes the source and the wheel to DIRECTORY (default: dist). Beside the wheel it writes the versions of all
libraries (`…-constraints.txt`), the bill of materials (`….cdx.json`, CycloneDX 1.6), and the licences with
their texts (`…-notices.txt`). The exit code is 1 if one of them must not be distributed, or if the shipped
log lacks facts of corpus.jsonl. Equal sources and libraries give equal bytes if SOURCE_DATE_EPOCH is set.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from tools.release.licences import troubles
from tools.release.notices import Part, notices, parts
from tracker.audit.bundle.packed import PackedLog
from tracker.corpus.release import has_corpus
from tracker.corpus.shipped import SHIPPED_LOG
from tracker.sources.readers.corpus_format import SHIPPED_CORPUS

ROOT = Path(__file__).parents[2]
EXTRAS = "charts,demo,nats,otel,parquet,timestamps"
"""Extras of a complete installation."""


def main(directory: Path) -> int:
    """Make all files, and return the exit code."""
    if not asyncio.run(has_corpus(PackedLog(SHIPPED_LOG), SHIPPED_CORPUS)):
        print("the shipped log lacks facts of corpus.jsonl: run `tracker corpus release` before")
        return 1
    run(sys.executable, "-m", "build", "--outdir", directory, ROOT)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    stem = directory / f"critical_minerals_policy_tracker-{version}"
    wheel = next(directory.glob(f"{stem.name}-*.whl"))
    with tempfile.TemporaryDirectory(prefix="tracker-release-") as temporary:
        parts_of_wheel = beside_wheel(wheel, stem, Path(temporary))
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


def beside_wheel(wheel: Path, stem: Path, temporary: Path) -> list[Part]:
    """Install a wheel into an environment, write its parts to files, and return them."""
    python = temporary / "bin" / "python"
    run(sys.executable, "-m", "venv", "--without-pip", temporary)
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", f"{wheel}[{EXTRAS}]")
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


def run(*command: str | Path) -> None:
    """Run a command; its output is shown only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()))
