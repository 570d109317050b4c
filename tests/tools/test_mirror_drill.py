"""The drill of a mirror with readers, in short."""

import shutil
import subprocess
import sys

import pytest

from tests.support.checkout import ROOT


@pytest.mark.nightly
def test_readers_of_a_killed_origin_and_of_its_killed_mirror_miss_no_event() -> None:
    if not shutil.which("varnishd"):
        pytest.skip("varnish is not installed")
    command = [sys.executable, "-m", "tools.mirror_drill", "50", "26"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("50 readers, 26 s,")
    assert ", 2 kills\n" in done.stdout
