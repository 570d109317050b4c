"""A cluster: etcd and three nodes, one leader with synchronous standbys."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import httpx2

from deploy.postgres.binaries import find_binaries
from deploy.postgres.site import DataDirectory, account
from tools.cluster.network import Network, NoCluster, network
from tools.cluster.node import DATABASE, PASSWORD, POSTGRES_PORT, REST_PORT, SETTINGS, Node

WHOLE_SECONDS = 120
"""Timeout in seconds for all nodes to return."""
ROLES = SETTINGS.parent / "database" / "roles.sql"


class NotWhole(Exception):
    """The cluster did not become complete again."""


class Etcd:
    """The only etcd, so its failure is that of the whole service."""

    def __init__(self, address: str, directory: Path):
        self.client = f"{address}:2379"
        self._peer = f"http://{address}:2380"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it with its stored data."""
        options = {
            "name": "etcd",
            "data-dir": self._directory / "etcd",
            "listen-client-urls": f"http://{self.client}",
            "advertise-client-urls": f"http://{self.client}",
            "listen-peer-urls": self._peer,
            "initial-advertise-peer-urls": self._peer,
            "initial-cluster": f"etcd={self._peer}",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        with (self._directory / "etcd.log").open("ab") as log:
            self._process = subprocess.Popen(["etcd", *arguments], stdout=log, stderr=log)

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Remove its data."""
        self.kill()
        shutil.rmtree(self._directory / "etcd", ignore_errors=True)


class Cluster:
    """Three nodes with their etcd."""

    def __init__(self, net: Network, directory: Path, site: DataDirectory, bin: Path):
        self.network = net
        self.directory = directory
        self.bin = bin
        self.site = site
        self.etcd = Etcd(net.address(1), directory)
        self.nodes = [Node(plug, directory, site, bin, self.etcd.client) for plug in net.plugs]
        self.http = httpx2.AsyncClient(timeout=5)
        self._proxy: subprocess.Popen[bytes] | None = None

    @property
    def hosts(self) -> str:
        """Return the hosts of a URL."""
        return ",".join(f"{node.address}:{POSTGRES_PORT}" for node in self.nodes)

    def url(self, user: str, hosts: str = "") -> str:
        """Return the URL of the primary for a login, by default with a list of hosts."""
        attributes = "" if hosts else "?target_session_attrs=read-write"
        return f"postgresql://{user}:{PASSWORD}@{hosts or self.hosts}/{DATABASE}{attributes}"

    async def start(self) -> None:
        """Start all parts, and return when the cluster is complete. Raises NotWhole."""
        self.etcd.start()
        first, *others = self.nodes
        first.start()
        await self.until_leads()
        for node in others:
            node.start()
        await self.until_whole()

    async def make_database(self) -> None:
        """Create the database and its logins, as an operator does."""
        primary = await self.until_leads()
        command = [str(self.bin / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        passwords = [f"--set={login}_password={PASSWORD}" for login in ("admin", "web")]
        where = f"postgresql://postgres:{PASSWORD}@{primary.address}/postgres"
        made = await asyncio.to_thread(
            subprocess.run,
            [*command, *passwords, f"--file={ROLES}", where],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr

    async def primary(self) -> Node | None:
        """Return the node that leads and accepts writes; None without one or with several."""
        statuses = await asyncio.gather(*(node.status(self.http) for node in self.nodes))
        leading = [
            node
            for node, status in zip(self.nodes, statuses, strict=True)
            if status.get("role") == "primary" and status.get("state") == "running"
        ]
        return leading[0] if len(leading) == 1 else None

    async def until_leads(self, seconds: float = WHOLE_SECONDS) -> Node:
        """Wait until a node accepts writes. Raises NotWhole."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if node := await self.primary():
                with suppress(OSError, TimeoutError, asyncpg.PostgresError):
                    connection = await node.connect()
                    try:
                        if not await connection.fetchval("SELECT pg_is_in_recovery()"):
                            return node
                    finally:
                        await connection.close(timeout=2)
            await asyncio.sleep(0.2)
        raise NotWhole(f"there is no leader after {seconds} s\n{self.last_words()}")

    async def until_whole(self, seconds: float = WHOLE_SECONDS) -> Node:
        """Wait until one node leads and both others confirm commits, and return the leader. Raises
        NotWhole."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (node := await self.primary()) and await self._is_confirmed(node):
                return node
            await asyncio.sleep(0.3)
        raise NotWhole(f"the cluster is not whole after {seconds} s\n{self.last_words()}")

    async def _is_confirmed(self, primary: Node) -> bool:
        """Whether both others are failover candidates, according to Patroni and PostgreSQL."""
        try:
            answer = await self.http.get(f"http://{primary.address}:{REST_PORT}/cluster")
            members = answer.json()["members"]
            connection = await primary.connect()
        except (
            OSError,
            TimeoutError,
            ValueError,
            KeyError,
            httpx2.HTTPError,
            asyncpg.PostgresError,
        ):
            return False
        try:
            states = await connection.fetch("SELECT sync_state FROM pg_stat_replication")
        except (OSError, asyncpg.PostgresError):
            return False
        finally:
            await connection.close(timeout=2)
        standbys = [each for each in members if each["role"] == "quorum_standby"]
        return (
            len(members) == len(self.nodes)
            and len(standbys) == len(self.nodes) - 1
            and all(each["state"] == "streaming" for each in standbys)
            and [state["sync_state"] for state in states].count("quorum") == len(standbys)
        )

    async def switch_over(self, primary: Node, to: Node) -> None:
        """Switch over to another node, as an operator does before maintenance."""
        answer = await self.http.post(
            f"http://{primary.address}:{REST_PORT}/switchover",
            json={"leader": primary.name, "candidate": to.name},
            auth=("patroni", PASSWORD),
            timeout=60,
        )
        if answer.status_code != 200:
            raise NotWhole(f"no switchover: {answer.status_code} {answer.text}")

    def start_proxy(self) -> str:
        """Start HAProxy before the nodes with the file of deploy/manifests/cluster; return its host."""
        if not shutil.which("haproxy"):
            raise NoCluster("not installed: haproxy")
        address = self.network.address(1)
        names = {f"DB{i}": node.address for i, node in enumerate(self.nodes, 1)}
        with (self.directory / "haproxy.log").open("ab") as log:
            self._proxy = subprocess.Popen(
                ["haproxy", "-db", "-f", str(SETTINGS / "haproxy.cfg")],
                env={**os.environ, **names, "LISTEN": address},
                stdout=log,
                stderr=log,
            )
        return f"{address}:{POSTGRES_PORT}"

    async def stop(self) -> None:
        """Kill all parts at once and remove their data."""
        await self.http.aclose()
        for node in self.nodes:
            node.resume()
            await asyncio.to_thread(node.kill)
        self.etcd.kill()
        if self._proxy:
            self._proxy.send_signal(signal.SIGKILL)
            self._proxy.wait()

    def last_words(self) -> str:
        """Return the ends of the nodes' logs."""
        return "\n".join(f"--- {node.name}\n{node.last_words()}" for node in self.nodes)


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    """Run a complete cluster with an empty database. Raises NoCluster."""
    if not find_spec("patroni") or not find_spec("psycopg"):
        raise NoCluster("not installed: patroni[etcd3,psycopg3]")
    with network() as net:
        directory = Path(tempfile.mkdtemp(prefix="tracker-cluster-", dir="/tmp"))
        directory.chmod(0o755)
        site = DataDirectory(directory, account(directory / "new"))
        made = Cluster(net, directory, site, find_binaries(site))
        try:
            await made.start()
            await made.make_database()
            yield made
        finally:
            await made.stop()
            shutil.rmtree(directory, ignore_errors=True)
