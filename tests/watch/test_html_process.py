"""HTML of strangers is read in a process with limits, which it can fill without harm to this one."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psutil
import pytest

from tests.support.cases import each_case
from tests.support.polling_process import MANY_ATTRIBUTES
from tests.support.time_limits import within
from tests.support.waiting import until
from tests.watch.test_markup import answer
from tracker.watch import html_process
from tracker.watch.adapter import NotUnderstood
from tracker.watch.html_process import MAX_CPU_SECONDS, MAX_MEMORY_BYTES, process_with, read_apart
from tracker.watch.listing import Layout, read_page
from tracker.watch.markup import MAX_HTML_BYTES, page_lines

MANY_ELEMENTS = "<p>x" * (MAX_HTML_BYTES // 4)
PLAIN = "<p>Gallium</p>"


@contextmanager
def limits(
    memory_bytes: int = MAX_MEMORY_BYTES, cpu_seconds: int = MAX_CPU_SECONDS
) -> Iterator[None]:
    """Read HTML in a new process with some limits."""
    process = process_with(memory_bytes, cpu_seconds)
    with closing(process), pytest.MonkeyPatch.context() as patch:
        patch.setattr(html_process, "HTML_PROCESS", process)
        yield


def refusal(content: str) -> str:
    """Return the code with which a document is refused; the next one must be read."""
    with pytest.raises(NotUnderstood) as refused:
        read_apart(page_lines, answer(content))
    assert read_apart(page_lines, answer(PLAIN)) == ["Gallium"]
    return refused.value.code


def test_html_that_takes_much_time_is_refused() -> None:
    with limits(cpu_seconds=2):
        assert refusal(MANY_ATTRIBUTES) == "TOO_LARGE"


def test_html_that_takes_much_memory_is_refused() -> None:
    before = psutil.Process().memory_info().rss
    with limits(memory_bytes=300_000_000):
        assert refusal(MANY_ELEMENTS) == "TOO_LARGE"
    assert psutil.Process().memory_info().rss - before < 100_000_000


def test_a_list_that_says_much_more_than_it_has_is_refused() -> None:
    page = replace(
        answer("<li><a href=a>b</a>2026-01-02" * 9_000), url=f"https://x.example/{'x' * 1900}/"
    )
    with pytest.raises(NotUnderstood) as refused:
        read_apart(read_page, page, Layout(item="li", day_form="%Y-%m-%d", language="en"))
    assert refused.value.code == "TOO_LARGE"


@each_case(
    "content",
    [
        "x" * (MAX_HTML_BYTES + 1),
        "<a " + " ".join(f"a{n}" for n in range(20_000)) + ">x</a>",
        "<a " + " ".join(f"a{n}='>'" for n in range(20_000)) + ">x</a>",
    ],
    ids=["document", "tag", "tag with quotes"],
)
def test_html_that_is_too_large_is_refused_before_it_is_parsed(content: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        page_lines(answer(content))
    assert refused.value.code == "TOO_LARGE"


def test_a_large_picture_within_a_tag_is_not_a_long_tag() -> None:
    picture = f'<img alt="a" src="data:image/png;base64,{"A" * 500_000}">'
    assert page_lines(answer(f"{picture}<p>Gallium")) == ["Gallium"]


def test_the_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_TOKENS", "s3cret")
    before = psutil.Process().children()
    with limits():
        read_apart(page_lines, answer(PLAIN))
        [child] = [each for each in psutil.Process().children() if each not in before]
        assert "html_worker" in str(child.cmdline())
        assert "TRACKER_TOKENS" not in child.environ()


async def test_a_page_that_is_being_read_does_not_keep_the_server_from_ending() -> None:
    command = [sys.executable, "-m", "tests.support.polling_process"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert [process.stdout.readline() for _ in range(2)] == ["fetched\n"] * 2
            server = psutil.Process(process.pid)
            await until(lambda: any(each.cpu_times().user > 1 for each in server.children()))
            [worker] = server.children()
            process.send_signal(signal.SIGINT)
            assert process.wait(within(MAX_CPU_SECONDS / 4)) == 130
            assert not worker.is_running()
        finally:
            process.kill()
