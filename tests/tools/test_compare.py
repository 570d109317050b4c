"""The comparison of benchmarks with another commit: its table, and what fails."""

import sys
from pathlib import Path

import pytest

from tools.benchmarks import compare
from tools.benchmarks.compare import Checkout, measured, ratios, report

BEFORE = {"commands/s": [100.0, 300.0, 200.0], "rebuild, events/s": [50.0], "old": [1.0]}
AFTER = {"commands/s": [180.0, 170.0, 990.0], "rebuild, events/s": [42.0], "new": [2.0]}


def test_ratios_are_those_of_medians_of_figures_that_both_commits_have() -> None:
    assert ratios(BEFORE, AFTER) == {"commands/s": 0.9, "rebuild, events/s": 0.84}


def test_the_table_has_every_figure_and_marks_those_that_fell() -> None:
    lines = report(BEFORE, AFTER).splitlines()
    assert lines[2:] == [
        "| commands/s | 200.0 | 180.0 | 0.90 |",
        "| rebuild, events/s | 50.0 | 42.0 | **0.84** |",
        "| old | 1.0 | – | – |",
        "| new | – | 2.0 | – |",
    ]


def test_commits_are_measured_in_turn_after_a_round_that_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def measure(self: Checkout, group: str) -> dict[str, float]:
        asked.append(f"{self.root.name} {group}")
        return {group: float(len(asked))}

    monkeypatch.setattr(Checkout, "measure", measure)
    pair = [Checkout(Path(name), sys.executable, Path(name)) for name in ("a", "b")]
    assert measured(pair, ["x", "y"], 1) == [{"x": [5], "y": [7]}, {"x": [6], "y": [8]}]
    assert asked == 2 * ["a x", "b x", "a y", "b y"]


def test_a_commit_without_these_benchmarks_is_measured_by_its_own(tmp_path: Path) -> None:
    for name, code in (("wrong", "raise ImportError('gone')"), ("own", "print('{\"x\": 3.5}')")):
        package = tmp_path / name / "tools" / "benchmarks"
        package.mkdir(parents=True)
        for init in (package.parent, package):
            (init / "__init__.py").touch()
        (package / "short.py").write_text(code)
    checkout = Checkout(tmp_path / "own", sys.executable, tmp_path / "wrong")
    assert checkout.measure("any") == {"x": 3.5}
    assert Checkout(tmp_path / "wrong", sys.executable, tmp_path / "wrong").measure("any") == {}


def test_the_command_fails_if_a_figure_fell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class CheckedOut:
        def __init__(self, commit: str):
            assert commit == "HEAD~1"

        def __enter__(self) -> Checkout:
            return Checkout(tmp_path, sys.executable, tmp_path)

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(compare, "checked_out", CheckedOut)
    monkeypatch.setattr(compare, "measured", lambda *_: [BEFORE, AFTER])
    with pytest.raises(SystemExit, match="more than 15% slower: rebuild, events/s"):
        compare.main(["HEAD~1"])
    assert "| commands/s | 200.0 | 180.0 | 0.90 |" in capsys.readouterr().out
    monkeypatch.setattr(compare, "measured", lambda *_: [BEFORE, BEFORE])
    compare.main(["HEAD~1"])
