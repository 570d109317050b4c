"""Cases of one test that share its fixtures: a server, a database, a tracker.

`pytest.mark.parametrize` makes an item of each case, with fixtures of its own. Cases that change nothing need
neither: `each_case` runs them one after the other, and reports all that fail.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

FAILURES = (Exception, pytest.fail.Exception)


def each_case(
    names: str | tuple[str, ...], cases: Iterable[Any], ids: object = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a test for each case, in one item; takes the arguments of `pytest.mark.parametrize`.

    Raises ExceptionGroup with the failures, each with a note of its case.
    """
    listed = tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names
    values = [case if len(listed) > 1 else (case,) for case in cases]

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        def arguments(case: Any, fixtures: dict[str, Any]) -> dict[str, Any]:
            return {**fixtures, **dict(zip(listed, case, strict=True))}

        def finish(failures: list[Any]) -> None:
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(values)} cases", failures)

        def noted(failure: BaseException, case: Any) -> BaseException:
            failure.add_note(f"case: {repr(case)[:500]}")
            return failure

        @wraps(test)
        def run(**fixtures: Any) -> None:
            failures = []
            for case in values:
                try:
                    test(**arguments(case, fixtures))
                except FAILURES as failure:
                    failures.append(noted(failure, case))
            finish(failures)

        @wraps(test)
        async def run_async(**fixtures: Any) -> None:
            failures = []
            for case in values:
                try:
                    await test(**arguments(case, fixtures))
                except FAILURES as failure:
                    failures.append(noted(failure, case))
            finish(failures)

        made = run_async if inspect.iscoroutinefunction(test) else run
        signature = inspect.signature(test)
        rest = [parameter for name, parameter in signature.parameters.items() if name not in listed]
        made.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]
        return made

    return decorate
