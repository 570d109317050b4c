"""Network namespaces on a bridge, one per node, with removable cables.

Clusters are numbered, so several can run at once, each with its own bridge and addresses.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

PROGRAMS = ("ip", "nsenter", "setpriv", "etcd")
LOCKS = Path("/tmp")
MAX_CLUSTERS = 40


class NoCluster(Exception):
    """The error for a machine that cannot run a cluster, with the missing part."""


class Plug:
    """A node's namespace, which can be disconnected and reconnected."""

    def __init__(self, network: Network, number: int):
        self.namespace = f"{network.name}-n{number}"
        self.address = network.address(10 + number)
        self._network = network
        self._cable = f"{network.name}c{number}"
        self._hardware = f"02:00:0a:4d:{network.number:02x}:{10 + number:02x}"

    def make(self) -> None:
        """Create the namespace, with a cable to the bridge."""
        inside = ("netns", "exec", self.namespace, "ip")
        run("ip", "netns", "add", self.namespace)
        run(
            "ip",
            "link",
            "add",
            self._cable,
            "type",
            "veth",
            "peer",
            "eth0",
            "netns",
            self.namespace,
        )
        run("ip", *inside, "link", "set", "eth0", "address", self._hardware)
        run("ip", *inside, "addr", "add", f"{self.address}/24", "dev", "eth0")
        run("ip", *inside, "link", "set", "lo", "up")
        run("ip", *inside, "link", "set", "eth0", "up")
        run("ip", "link", "set", self._cable, "up")
        self.join()

    def know(self, neighbours: Sequence[Plug]) -> None:
        """Add permanent neighbour entries.

        So an isolated node is silent, as behind a router, and neighbour discovery does not detect it.
        """
        for other in neighbours:
            known = (other.address, "lladdr", other._hardware, "nud", "permanent", "dev")
            if other is not self:
                run("ip", "netns", "exec", self.namespace, "ip", "neigh", "replace", *known, "eth0")
        known = (self.address, "lladdr", self._hardware, "nud", "permanent", "dev")
        run("ip", "neigh", "replace", *known, self._network.name)

    def cut(self) -> None:
        """Disconnect the cable at its far end, so that the node only misses responses."""
        run("ip", "link", "set", self._cable, "nomaster")

    def join(self) -> None:
        """Reconnect the cable."""
        run("ip", "link", "set", self._cable, "master", self._network.name)

    def processes(self) -> list[psutil.Process]:
        """Return the processes on the node."""
        processes = []
        for pid in run("ip", "netns", "pids", self.namespace).split():
            with suppress(psutil.NoSuchProcess):
                processes.append(psutil.Process(int(pid)))
        return processes

    def remove(self) -> None:
        """Remove the namespace and its cable.

        The kernel would remove the cable later, and the next cluster uses the same names.
        """
        subprocess.run(["ip", "link", "del", self._cable], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self.namespace], check=False, capture_output=True)


class Network:
    """A bridge with an address of this process, and the plugs of three nodes."""

    def __init__(self, number: int, nodes: int = 3):
        self.number = number
        self.name = f"tracker{number}"
        self.plugs = [Plug(self, each + 1) for each in range(nodes)]

    def address(self, last: int) -> str:
        """Return an address on the bridge; 1 is this process's own."""
        return f"10.77.{self.number}.{last}"

    def make(self) -> None:
        """Create the bridge with its own address.

        Otherwise it has the address of a cable, whose node would stay reachable after a disconnect.
        """
        hardware = f"02:00:0a:4d:{self.number:02x}:01"
        run("ip", "link", "add", self.name, "address", hardware, "type", "bridge")
        run("ip", "addr", "add", f"{self.address(1)}/24", "dev", self.name)
        run("ip", "link", "set", self.name, "up")
        for plug in self.plugs:
            plug.make()
        for plug in self.plugs:
            plug.know(self.plugs)

    def remove(self) -> None:
        """Remove the whole network."""
        for plug in self.plugs:
            plug.remove()
        subprocess.run(["ip", "link", "del", self.name], check=False, capture_output=True)


@contextmanager
def network() -> Iterator[Network]:
    """Create a network with a free number on this machine. Raises NoCluster."""
    if missing := [name for name in PROGRAMS if not shutil.which(name)]:
        raise NoCluster(f"not installed: {', '.join(missing)}")
    if os.geteuid() != 0:
        raise NoCluster("network namespaces need root")
    for number in range(1, MAX_CLUSTERS + 1):
        with (LOCKS / f"tracker-cluster-{number}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            created = Network(number)
            created.remove()  # left by a killed run
            try:
                created.make()
            except subprocess.CalledProcessError as error:
                created.remove()
                raise NoCluster(f"no network namespaces: {error.stderr.strip()}") from error
            try:
                yield created
            finally:
                created.remove()
            return
    raise NoCluster(f"{MAX_CLUSTERS} clusters run already")


def run(*command: str) -> str:
    """Return the output of a command. Raises CalledProcessError."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
