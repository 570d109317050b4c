"""Check a release before it is published, and print a table of outcomes.

    python -m tools.release.check [--python PYTHON]

builds the commit twice, in two clones with other rights, times of files and time zones, and compares all
files. Then it validates metadata, verifies the signed checksums by the commands of
docs/operating/install.md, renders the chart, and installs the wheel by venv, pipx and uv as an unprivileged
user. The examples of the clients run against a demo of the wheel, from their packages alone, and each page
and link of the documentation of this demo is followed. It takes minutes. After a failure the exit code is 1.
"""

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import helm_python
import yaml  # type: ignore[import-untyped]

from tests.support.checkout import ROOT
from tools.clients import CLIENTS
from tools.release.provenance import SUMS
from tools.releases.installed import (
    UNPRIVILEGED_USER,
    User,
    commands,
    make_tools,
    pythons,
    readable,
    running_demo,
    try_all,
)
from tools.releases.outcome import Outcome, report

LINK = re.compile(r'<a [^>]*?href="([^"]+)"')
INSTALL = """
wheel=$(echo ./critical_minerals_policy_tracker-*.whl)
uv venv -q tracker && uv pip install -q -p tracker "$wheel[demo]"
uv venv -q client && uv pip install -q -p client --no-index ./*_client-*.whl
cd javascript && echo '{"type": "module"}' > package.json
npm install --offline --ignore-scripts --silent ../critical-minerals-policy-tracker-client-*.tgz
"""
ANCHOR = re.compile(r'\bid="([^"]+)"')
ARGUMENTS = "2025-11-20 gallium"


def command(subject: str, *arguments: str | Path, **options: str | Path) -> Outcome:
    """Return the outcome of a program: its last line, or the end of its errors."""
    done = subprocess.run(
        arguments, capture_output=True, text=True, check=False, cwd=options.get("cwd", ROOT)
    )
    lines = (done.stdout if not done.returncode else done.stdout + done.stderr).split("\n")
    result = " ".join([line for line in lines if line.strip()][-1 if not done.returncode else -8 :])
    return Outcome(subject, "checkout", result[-300:] or "good", not done.returncode)


def build_twice(place: Path) -> Iterator[Outcome]:
    """Build in two clones, and compare all files."""
    first, second = place / "dist", place / "again"
    touch = "find . -type f -not -path './.git/*' -exec touch --date 2001-02-03 {} +"
    other = f"{touch}; umask 027; export TZ=Pacific/Kiritimati; "
    for directory, before in ((first, ""), (second, other)):
        source = place / f"source of {directory.name}"
        umask = 0o027 if before else 0o022
        subprocess.run(["git", "clone", "--quiet", ROOT, source], check=True, umask=umask)
        build = (
            f"{before}exec {sys.executable} -m tools.release {directory} --keys {place / 'keys'}"
        )
        yield command("build", "bash", "-c", build, cwd=source)
    names = {path.name for directory in (first, second) for path in directory.iterdir()}
    _, differing, missing = filecmp.cmpfiles(first, second, names, shallow=False)
    wrong = sorted([*differing, *missing])
    result = f"differ: {', '.join(wrong)}" if wrong else f"{len(names)} equal files"
    yield Outcome("built twice", "two clones", result, not wrong and bool(names))


def metadata(dist: Path) -> Iterator[Outcome]:
    """Validate what indexes and readers get."""
    packages = [*dist.glob("*.whl"), *dist.glob("*.tar.gz")]
    yield command("metadata", sys.executable, "-m", "twine", "check", "--strict", *packages)
    project = ROOT / "pyproject.toml"
    yield command("pyproject.toml", sys.executable, "-m", "validate_pyproject", project)
    shutil.copy(dist.parent / "keys" / "release.pem", dist.parent)
    verify = commands("Verify a release")["openssl"].replace("release.pem", "../release.pem")
    yield command("signed checksums", "bash", "-ec", verify, cwd=dist)
    listed = {line[66:] for line in (dist / SUMS).read_text("utf-8").splitlines()}
    unlisted = {path.name for path in dist.iterdir() if not path.name.startswith(SUMS)} - listed
    yield Outcome("listed files", dist.name, f"{len(listed)}; not: {unlisted or 0}", not unlisted)


def chart(dist: Path) -> Iterator[Outcome]:
    """Lint and render the packed chart."""
    [archive] = dist.glob("minerals-tracker-*.tgz")
    errors = helm_python.lint(archive, strict=True)["errors"]
    with helm_python.Chart.load(archive) as loaded:
        rendered = loaded.render(name="tracker", namespace="minerals").values()
    objects = [each for text in rendered for each in yaml.safe_load_all(text) if each]
    yield Outcome("chart", archive.name, f"{errors or len(objects)} objects", not errors)


def demo_of(dist: Path, place: Path, python: Path, tools: Path) -> Iterator[Outcome]:
    """Run the examples of the clients against a demo of the wheel, and follow its documentation."""
    home = place / "demo"
    shutil.copytree(dist, home)
    for client in ("python", "javascript"):
        shutil.copytree(CLIENTS / client / "examples", home / client)
    user = User(home, python, tools)
    if user.identity:
        for path in (home, *home.rglob("*")):
            shutil.chown(path, UNPRIVILEGED_USER, UNPRIVILEGED_USER)
    installed = user.run(INSTALL)
    good = not installed.returncode
    yield Outcome("clients and demo", str(python), installed.stderr[-300:] or "installed", good)
    with running_demo(user, "tracker/bin/tracker") as (address, log):
        if not address:
            yield Outcome("demo of the wheel", str(python), log[-300:], False)
            return
        for example in (
            f"client/bin/python python/controls.py {address} {ARGUMENTS}",
            f"client/bin/python python/follow.py {address} python.token --once",
            f"cd javascript && node controls.mjs {address} {ARGUMENTS}",
            f"cd javascript && node follow.mjs {address} token --once",
        ):
            done = user.run(example)
            text = (done.stdout or done.stderr).partition("\n")[0]
            good = not done.returncode and bool(done.stdout)
            yield Outcome(example.replace(address, "DEMO"), "demo", text[:100], good)
        yield documentation(address)


def documentation(address: str) -> Outcome:
    """Follow all links of the documentation to pages and headings of the server."""
    pages: dict[str, str] = {}
    waiting, broken, links = ["/docs"], [], set[tuple[str, str]]()
    while waiting:
        path = waiting.pop()
        if path in pages:
            continue
        try:
            request = urllib.request.Request(f"{address}{path}", headers={"Accept": "text/html"})
            with urllib.request.urlopen(request, timeout=120) as response:
                is_page = response.headers.get_content_type() == "text/html"
                pages[path] = response.read().decode() if is_page else ""
        except urllib.error.HTTPError as error:
            pages[path] = ""
            broken.append(f"{path}: {error.code}")
        if not path.startswith("/docs"):
            continue
        for target in LINK.findall(pages[path]):
            if target.startswith(("/", "#")):
                there, _, anchor = target.replace("&amp;", "&").partition("#")
                links.add((there or path, anchor))
                waiting.append(there or path)
    anchors = {path: set(ANCHOR.findall(text)) for path, text in pages.items()}
    broken += [f"{to}#{name}" for to, name in sorted(links) if name and name not in anchors[to]]
    documents = sum(path.startswith("/docs") for path in pages)
    result = f"{documents} pages, {len(links)} links; broken: {', '.join(broken) or 'none'}"
    return Outcome("documentation", "demo", result, not broken and documents > 1)


def outcomes(place: Path, python: Path) -> Iterator[Outcome]:
    """Yield the outcomes of all checks; without packages there is nothing to check."""
    dist = place / "dist"
    for outcome in build_twice(place):
        yield outcome
        if not outcome.good:
            return
    yield from metadata(dist)
    yield from chart(dist)
    yield from try_all(next(dist.glob("*tracker-[0-9]*.whl")), [python], place)
    own = readable(python, place / "python")
    yield from demo_of(dist, place, own, make_tools(place / "own", own))


def main(python: Path) -> int:
    """Print the outcomes, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="tracker-check-") as temporary:
        os.chmod(temporary, 0o755)
        return report(outcomes(Path(temporary), python))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check a release before it is published.")
    parser.add_argument("--python", type=Path, default=pythons()[-1])
    sys.exit(main(parser.parse_args().python))
