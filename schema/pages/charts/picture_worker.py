"""A process of its own that makes PNG and PDF of SVG.

It is run as a file, so that it loads nothing of this product. Conversions hold Python's lock for 40 ms
and more, which is why they cannot be made in a thread of the server. One request a line comes in as
JSON, `[format, svg]`; out go a line `true|false LENGTH` and so many bytes: the picture, or what went
wrong. The end of the input ends it. Nothing is loaded from anywhere.
"""

from __future__ import annotations

import json
import signal
import sys

import vl_convert

PNG_SCALE = 2


def picture_of(format: str, svg: str) -> bytes:
    """The picture of an SVG."""
    if format == "png":
        return vl_convert.svg_to_png(svg, scale=float(PNG_SCALE))
    return vl_convert.svg_to_pdf(svg)


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
