"""Manifests and chart for Kubernetes have the form of their kinds, and a database that loses nothing."""

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
CHART = ROOT / "deploy" / "manifests" / "helm"
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


VALUES = {
    "host": "tracker.example.com",
    "image": {"repository": "registry.example.com/tracker", "tag": "7"},
    "replicas": 5,
    "settings": {"TRACKER_CONNECTIONS": "20000", "TRACKER_LOG_LEVEL": "debug"},
    "secrets": ["tracker-oidc"],
    "mail": {"from": "alerts@example.com", "secret": "tracker-mail"},
    "keys": {"size": "2Gi", "storageClass": "fast"},
    "database": {"instances": 5, "storage": "90Gi", "walStorage": "30Gi", "readReplicas": True},
    "ingress": {
        "className": "other",
        "annotations": {"cert-manager.io/cluster-issuer": None, "example.com/cache": "on"},
        "tlsSecret": "own-certificate",
    },
}
"""Every value of the chart, changed."""


def rendered(values: dict[str, Any] | None = None) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the objects of the chart by kind and name, as `helm template` makes them."""
    helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
    with helm.Chart.load(CHART) as chart:
        texts = chart.render(values, name="tracker", namespace="minerals").values()
    objects = [found for text in texts for found in yaml.safe_load_all(text) if found]
    return {(each["kind"], each["metadata"]["name"]): each for each in objects}


def test_the_chart_has_no_findings() -> None:
    helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
    for values in ({}, VALUES):
        report = helm.lint(CHART, values, strict=True, kube_version=f"v{OLDEST_VERSION}.0")
        found = [each["error"] for each in report["messages"]]
        assert (report["errors"], found) == ([], ["icon is recommended"])


def test_without_values_the_chart_makes_the_plain_manifests() -> None:
    [image] = named("Kustomization")["images"]
    plain = {}
    for each in OBJECTS:
        if each["kind"] not in ("Kustomization", "Namespace"):
            own = yaml.safe_load(yaml.safe_dump(each))
            pod = own.get("spec", {}).get("template", {}).get("spec", {})
            for container in pod.get("containers", []):
                container["image"] += f":{image['newTag']}"
            if own["kind"] == "Job":
                own["metadata"]["name"] += "-1"  # the revision
            plain[own["kind"], own["metadata"]["name"]] = own
    assert rendered() == plain


def test_every_value_of_the_chart_changes_its_objects() -> None:
    checker = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is not installed"
    )
    with pytest.importorskip("helm_python").Chart.load(CHART) as chart:
        assert {*chart.values} == {*VALUES}
    objects = rendered(VALUES)
    for (kind, _), each in objects.items():
        if kind != "Cluster":
            checker.validate(each, OLDEST_VERSION, strict=True)
    settings = objects["ConfigMap", "tracker-settings"]["data"]
    assert settings == {
        "FORWARDED_ALLOW_IPS": "*",
        "TRACKER_CONNECTIONS": "20000",
        "TRACKER_HOSTS": "tracker.example.com",
        "TRACKER_LOG_LEVEL": "debug",
        "TRACKER_LOG_ORIGIN": "tracker.example.com/log",
        "TRACKER_MAIL_FROM": "alerts@example.com",
        "TRACKER_MAIL_SITE": "https://tracker.example.com",
    }
    cluster = objects["Cluster", "minerals-database"]["spec"]
    sizes = (cluster["storage"]["size"], cluster["walStorage"]["size"])
    assert (cluster["instances"], sizes) == (5, ("90Gi", "30Gi"))
    ingress = objects["Ingress", "tracker"]
    assert ingress["spec"]["tls"] == [
        {"hosts": ["tracker.example.com"], "secretName": "own-certificate"}
    ]
    assert {rule["host"] for rule in ingress["spec"]["rules"]} == {"tracker.example.com"}
    assert ingress["spec"]["ingressClassName"] == "other"
    assert "cert-manager.io/cluster-issuer" not in ingress["metadata"]["annotations"]
    assert ingress["metadata"]["annotations"]["example.com/cache"] == "on"
    signer = objects["StatefulSet", "tracker-signer"]["spec"]
    [claim] = signer["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"
    web = objects["Deployment", "tracker-web"]["spec"]
    assert (web["replicas"], signer["replicas"]) == (5, 1)
    for server in (signer, web):
        [container] = server["template"]["spec"]["containers"]
        assert container["image"] == "registry.example.com/tracker:7"
        references = [name for each in container["envFrom"][1:] for name in each.values()]
        assert references == [{"name": "tracker-oidc"}, {"name": "tracker-mail"}]
        variables = {each["name"]: each.get("value", "") for each in container["env"]}
        assert "@minerals-database-ro/" in variables["TRACKER_READ_DATABASE_URL"]
    assert ("Ingress", "tracker") not in rendered({"ingress": {"enabled": False}})


def test_the_chart_refuses_a_misspelled_value() -> None:
    helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
    with helm.Chart.load(CHART) as chart, pytest.raises(helm.HelmError, match="replica"):
        chart.validate_schema({"replica": 3})
