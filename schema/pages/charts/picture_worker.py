"""Separate process that converts SVG to PNG and PDF.

It is run as a file, so that it imports nothing of this project. Conversions hold Python's lock for 40 ms
and more, so they cannot run in a thread of the server. Each input line is a request in JSON, `[format,
svg]`. Each output is a line `true|false LENGTH` and as many bytes: the picture, or an error. The process
ends with its input. It loads nothing from the network.
"""

import json
import signal
import sys

import vl_convert

PNG_SCALE = 2


def picture_of(format: str, svg: str) -> bytes:
    """Return the picture of an SVG."""
    if format == "png":
        return vl_convert.svg_to_png(svg, scale=float(PNG_SCALE))
    return vl_convert.svg_to_pdf(svg)


def main() -> None:
    """Serve requests until the input ends."""
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
