"""Go's own implementation of transparency logs, golang.org/x/mod/sumdb, if it is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "contract" / "clients" / "sumdb" / "verify.go"
LIBRARY = Path("/usr/share/gocode")


def sumdb(directory: Path) -> Path:
    """Build the program that checks a log."""
    if not shutil.which("go") or not (LIBRARY / "src/golang.org/x/mod/sumdb").is_dir():
        pytest.skip("Go and x/mod (Debian: golang-go, golang-golang-x-mod-dev) are not installed")
    program = directory / "verify"
    subprocess.run(
        ["go", "build", "-o", str(program), str(PROGRAM)],
        check=True,
        cwd=directory,
        env={
            "HOME": str(directory),
            **os.environ,
            "GO111MODULE": "off",
            "GOPATH": str(LIBRARY),
            "GOTOOLCHAIN": "local",
        },
    )
    return program


def verified(program: Path, *arguments: str) -> str:
    """Return the output of the program for a log. Fails if it rejects the log."""
    result = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout
