"""Print each event once, whatever connection breaks. The last token is stored in a file.

python follow.py http://127.0.0.1:8000 token.txt [--once]
"""

import sys
from pathlib import Path

from minerals_tracker import Tracker


def main(url: str, store: Path, *, forever: bool) -> None:
    """Print the events after the stored token."""
    after = store.read_text() if store.exists() else "0"
    for event in Tracker(url).events(after, follow_log=forever):
        print(event.position, event.type, event.entity, flush=True)
        store.write_text(event.token)


main(sys.argv[1], Path(sys.argv[2]), forever="--once" not in sys.argv)
