"""The manifests for Kubernetes have the form that it wants, and a database that loses nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deploy.bootstrap import prepare, running_tracker
from deploy.postgres import Postgres
from tests.conftest import database, run_sql
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.fact_builders import announced

MANIFESTS = ROOT / "deploy" / "manifests" / "kubernetes"
OBJECTS = [
    found
    for path in sorted(MANIFESTS.glob("*.yaml"))
    for found in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
OLDEST_VERSION = "1.30"


def named(kind: str, name: str | None = None) -> dict[str, Any]:
    """Return the object of a kind."""
    [found] = [
        o for o in OBJECTS if o["kind"] == kind and (not name or o["metadata"]["name"] == name)
    ]
    return found


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the pod templates, by the name of their owner."""
    for each in OBJECTS:
        if "template" in each.get("spec", {}):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    "manifest",
    [each for each in OBJECTS if each["kind"] not in ("Kustomization", "Cluster")],
    ids=lambda each: f"{each['kind']} {each['metadata']['name']}",
)
def test_a_manifest_has_the_form_of_its_kind(manifest: dict[str, Any]) -> None:
    checker = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is not installed"
    )
    for version in (OLDEST_VERSION, checker.latest_version()):
        checker.validate(manifest, version, strict=True)


def test_every_manifest_is_applied() -> None:
    files = {path.name for path in MANIFESTS.glob("*.yaml")} - {"kustomization.yaml"}
    assert {*named("Kustomization")["resources"]} == files


@each_case("pod", [spec for _, spec in pods()], ids=[name for name, _ in pods()])
def test_processes_run_without_rights(pod: dict[str, Any]) -> None:
    assert pod["enableServiceLinks"] is False  # otherwise a service `tracker` creates settings
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


def test_one_server_signs_and_those_beside_it_have_no_keys() -> None:
    signer = named("StatefulSet")["spec"]
    assert signer["replicas"] == 1
    [container] = signer["template"]["spec"]["containers"]
    assert {"name": "keys", "mountPath": "/var/lib/tracker"} in container["volumeMounts"]
    [container] = named("Deployment")["spec"]["template"]["spec"]["containers"]
    assert {"name": "TRACKER_AUDIT_DIR", "value": ""} in container["env"]


def test_a_service_finds_the_pods_that_it_is_for() -> None:
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in OBJECTS
        if "template" in each.get("spec", {})
    }
    for service, expected in (
        ("tracker", {"tracker-web", "tracker-signer"}),
        ("tracker-signer", {"tracker-signer"}),
    ):
        selector = named("Service", service)["spec"]["selector"].items()
        assert {name for name, own in labels.items() if selector <= own.items()} == expected


def test_the_database_acknowledges_what_a_second_one_has_and_nothing_else() -> None:
    spec = named("Cluster")["spec"]
    assert spec["instances"] == 3
    assert spec["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
        "failoverQuorum": True,
    }
    assert spec["enableSuperuserAccess"] is False


@pytest.fixture
def initialised(server: Postgres) -> Iterator[dict[str, Any]]:
    """Create a database as the operator does: owner, database, statements, then the managed logins."""
    cluster = named("Cluster")["spec"]
    begun = cluster["bootstrap"]["initdb"]
    run_sql(server, f"CREATE ROLE {begun['owner']} LOGIN")
    run_sql(server, f"CREATE DATABASE {begun['database']} OWNER {begun['owner']}")
    for statement in begun["postInitApplicationSQL"]:
        _, _, role = statement.partition("CREATE ROLE ")
        # On a server of the tests another test may have made them.
        run_sql(server, made_once(role.partition(" ")[0], statement) if role else statement)
    [login] = cluster["managed"]["roles"]
    run_sql(server, f"CREATE ROLE {login['name']} LOGIN IN ROLE {', '.join(login['inRoles'])}")
    yield database(server, begun["database"])
    run_sql(server, f"DROP DATABASE {begun['database']} WITH (FORCE)")
    run_sql(server, f"DROP ROLE {begun['owner']}; DROP ROLE {login['name']}")


def made_once(role: str, statement: str) -> str:
    """Return a statement that creates a role if it is missing."""
    return f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN {statement}; END IF; END $$"


async def test_the_operator_creates_all_that_the_tracker_needs(initialised: dict[str, Any]) -> None:
    await prepare({**initialised, "user": "minerals_admin"})
    async with running_tracker({**initialised, "user": "web"}) as services:
        recorded = await services.commands.record("export-control/a", announced())
        await services.projector.reach(recorded.positions[0])
