"""Print the clauses on a commodity as of a date, the checks of a shipment, and a table.

python controls.py http://127.0.0.1:8000 2025-11-20 gallium
"""

import sys

from minerals_tracker import Tracker


def main(url: str, valid_at: str, commodity: str) -> None:
    """Print the answers of a server."""
    day = Tracker(url).as_of(valid_at)
    for control in day.export_controls(commodity=commodity, status="SUSPENDED"):
        print(control["key"], "·", control["title"])
        for clause in control["clauses"]:
            print("   ", clause["key"], clause["statusStatement"])
    check = day.shipment(commodity=commodity, origin="CN", destination="US")
    print(check["summary"])
    table = day.table("clauses", commodity=commodity, status="IN_FORCE")
    print(len(table.rows), "clauses in force;", table.about["completeness"])
    print("position", day.position)


main(*sys.argv[1:4])
