"""A deliverer process: `python -m tests.support.delivering_process TARGET ORIGIN SECONDS`.

TARGET is JSON for `asyncpg.connect`, and SECONDS is the lease time. It prints a line when it starts
delivering, and one when it stops.
"""

import asyncio
import json
import sys
from dataclasses import replace

from deploy.bootstrap import open_pool
from tests.support.deliveries import QUICK
from tracker.audit.serve.proofs import ProofService
from tracker.delivery.deliverer import Deliverer, DeliveryOptions
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target


async def deliver(target: Target, options: DeliveryOptions) -> None:
    """Deliver until cancelled."""
    async with open_pool(target, size=2) as pool:
        follower = Follower(Recorder(pool), target)
        async with follower, Deliverer(target, follower, ProofService(pool), options) as deliverer:
            delivered = False
            while True:
                if deliverer.active is not delivered:
                    delivered = deliverer.active
                    print("delivers" if delivered else "does not deliver", flush=True)
                await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(
        deliver(
            json.loads(sys.argv[1]),
            replace(QUICK, origin=sys.argv[2], lease_seconds=float(sys.argv[3])),
        )
    )
