"""A node: PostgreSQL under Patroni, with the settings of deploy/manifests/cluster, in its own network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import psutil  # type: ignore[import-untyped]

from deploy.postgres.site import DataDirectory
from tests.support.checkout import ROOT
from tools.cluster.network import Plug
from tracker.postgres.database import Target

SETTINGS = ROOT / "deploy" / "manifests" / "cluster"
SUPERUSER, PASSWORD = "postgres", "of-a-test"
DATABASE = "minerals"
ENTRIES = "SELECT entry FROM log.events ORDER BY position"
POSTGRES_PORT, REST_PORT = 5432, 8008
READS_ALL = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
"""Capabilities that let PostgreSQL's account read root's files: Python and the checkout may be in
root's home."""


class Node:
    """A node that can be started, killed, frozen and isolated."""

    def __init__(self, plug: Plug, directory: Path, site: DataDirectory, bin: Path, etcd: str):
        self.name = plug.namespace.rpartition("-")[2]
        self.plug = plug
        self.address = plug.address
        self.data = directory / self.name / "data"
        self.log = directory / self.name / "log"
        self._site = site
        self._environment = self._settings(bin, etcd)
        self._patroni: subprocess.Popen[bytes] | None = None
        self.data.parent.mkdir(exist_ok=True)
        site.chown(self.data.parent)

    def _settings(self, bin: Path, etcd: str) -> Mapping[str, str]:
        """Return its settings: those of node.env in deploy/manifests/cluster with its own values."""
        rest, postgres = f"{self.address}:{REST_PORT}", f"{self.address}:{POSTGRES_PORT}"
        mine = {
            "PATRONI_NAME": self.name,
            "PATRONI_ETCD3_HOSTS": etcd,
            "PATRONI_RESTAPI_LISTEN": rest,
            "PATRONI_RESTAPI_CONNECT_ADDRESS": rest,
            "PATRONI_POSTGRESQL_LISTEN": postgres,
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": postgres,
            "PATRONI_POSTGRESQL_DATA_DIR": str(self.data),
            "PATRONI_POSTGRESQL_BIN_DIR": str(bin),
            "PATRONI_POSTGRESQL_PGPASS": str(self.data.parent / "pgpass"),
            "PATRONI_SUPERUSER_USERNAME": SUPERUSER,
            "PATRONI_REPLICATION_USERNAME": "replicator",
            "PATRONI_REWIND_USERNAME": "rewind",
            "PATRONI_RESTAPI_USERNAME": "patroni",
        }
        secrets = ("SUPERUSER", "REPLICATION", "REWIND", "RESTAPI")
        mine |= {f"PATRONI_{each}_PASSWORD": PASSWORD for each in secrets}
        lines = (SETTINGS / "node.env").read_text(encoding="utf-8").splitlines()
        assert set(mine) == {line.partition("=")[0] for line in lines if line and line[0] != "#"}
        remaining = {
            name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ
        }
        return {
            **remaining,
            **mine,
            "HOME": str(self.data.parent),
            "LC_ALL": "C",
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def target(self) -> Target:
        """Return the target of a superuser."""
        return {
            "host": self.address,
            "port": POSTGRES_PORT,
            "user": SUPERUSER,
            "password": PASSWORD,
            "database": "postgres",
            "timeout": 3,
        }

    def start(self) -> None:
        """Start its Patroni, which starts PostgreSQL."""
        account = self._site.account
        assert account
        identity = (f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
        patroni = (sys.executable, "-m", "patroni", str(SETTINGS / "patroni.yaml"))
        network = ("nsenter", f"--net=/run/netns/{self.plug.namespace}")
        with self.log.open("ab") as log:
            self._patroni = subprocess.Popen(
                [*network, "setpriv", *identity, *READS_ALL, *patroni],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd="/",
                start_new_session=True,
            )

    def stop(self) -> None:
        """Stop its Patroni, which stops PostgreSQL and releases the lease, like `systemctl stop`."""
        assert self._patroni
        self._patroni.terminate()

    def kill(self) -> None:
        """Kill all its processes, as in a power failure."""
        while processes := self.plug.processes():
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self.reap()
            time.sleep(0.01)

    def reap(self) -> None:
        """Reap its Patroni."""
        if self._patroni and self._patroni.poll() is not None:
            self._patroni = None

    def freeze(self, only: str = "") -> list[psutil.Process]:
        """Stop all its processes, or those with a name, with SIGSTOP."""
        stopped: list[psutil.Process] = []
        while True:  # including new forks
            new = [each for each in self.plug.processes() if each not in stopped]
            new = [each for each in new if only in name_of(each)]
            if not new:
                return stopped
            for process in new:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            stopped += new

    def resume(self) -> None:
        """Resume stopped processes."""
        for process in self.plug.processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def empty(self) -> None:
        """Remove its data."""
        shutil.rmtree(self.data, ignore_errors=True)

    async def status(self, http: httpx2.AsyncClient) -> dict[str, Any]:
        """Return its status from Patroni; empty without a response."""
        try:
            answer = await http.get(f"http://{self.address}:{REST_PORT}/patroni", timeout=2)
            status = answer.json()
        except (httpx2.HTTPError, ValueError):
            return {}
        return status if isinstance(status, dict) else {}

    async def connect(self) -> asyncpg.Connection[Any]:
        """Open a superuser's connection."""
        return await asyncpg.connect(**self.target)

    async def entries(self) -> list[bytes]:
        """Return its entries of the log."""
        connection = await asyncpg.connect(**{**self.target, "database": DATABASE})
        try:
            return [bytes(row["entry"]) for row in await connection.fetch(ENTRIES)]
        finally:
            await connection.close()

    def last_words(self, most: int = 3000) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-most:] if self.log.exists() else ""


def name_of(process: psutil.Process) -> str:
    """Return the command line of a process; empty once it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
