"""A process of its own that makes pictures: SVG of specifications in Vega-Lite, PNG and PDF of SVG.

It is run as a file, so that it loads nothing of this product: some 100 MB are Vega's. Conversions
hold Python's lock for 40 ms and more, which is why they cannot be made in a thread of the server.
One request a line comes in as JSON, `[what, text]`; out go a line `true|false LENGTH` and so many
bytes: the picture, or what went wrong. The end of the input ends it. Nothing is loaded from anywhere.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable

import vl_convert

PNG_SCALE = 2


def picture_of(what: str, text: str) -> bytes:
    """The picture of a specification or of an SVG."""
    makers: dict[str, Callable[[], str | bytes]] = {
        "vega-lite": lambda: vl_convert.vegalite_to_svg(text, allowed_base_urls=[]),
        "png": lambda: vl_convert.svg_to_png(text, scale=float(PNG_SCALE)),
        "pdf": lambda: vl_convert.svg_to_pdf(text),
    }
    picture = makers[what]()
    return picture.encode() if isinstance(picture, str) else picture


def main() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends it, not the terminal
    for line in sys.stdin.buffer:
        try:
            good, answer = True, picture_of(*json.loads(line))
        except Exception as error:
            good, answer = False, str(error).encode()
        sys.stdout.buffer.write(f"{json.dumps(good)} {len(answer)}\n".encode() + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
