"""deploy/kubernetes: valid by Kubernetes' own schemas, and as careful as it says."""

import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.prometheus_operator import v1 as operator

from conftest import DEPLOY, SHORTEST_PATIENCE
from kustomize import build

KUBERNETES = DEPLOY / "kubernetes"
NAME = "gatewayapi-sms-connector"
# The oldest that has preStop.sleep by default, and the newest whose schemas are at hand.
VERSIONS = ["1.30", "1.37"]
DIFFERENT = ["base", "overlays/example"]


def validate(resource, version):
    """Strictly: an unknown key is a fault."""
    if resource["apiVersion"].startswith("monitoring.coreos.com/"):
        model = getattr(operator, resource["kind"]).model_validate(resource)
        known = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
        assert known == resource
    else:
        kubernetes_validate.validate(resource, version, strict=True)


def pod(folder="base"):
    return build(KUBERNETES / folder)["Deployment", NAME]["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", DIFFERENT)
def test_the_resources_are_valid(folder, version):
    resources = build(KUBERNETES / folder)
    assert {kind for kind, _ in resources} >= {"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"}
    for resource in resources.values():
        validate(resource, version)


def test_a_typing_error_is_seen():
    resources = build(KUBERNETES / "overlays/example")
    for key, where in [
        (("Deployment", NAME), lambda resource: resource["spec"]["template"]["spec"]["containers"][0]),
        (("NetworkPolicy", NAME), lambda resource: resource["spec"]["ingress"][0]),
        (("ServiceMonitor", NAME), lambda resource: resource["spec"]["endpoints"][0]),
    ]:
        where(resources[key])["prots"] = []
        with pytest.raises((kubernetes_validate.ValidationError, AssertionError)):
            validate(resources[key], VERSIONS[-1])


def test_the_alerts_become_a_rule_of_the_operator():
    printed = subprocess.run([KUBERNETES / "prometheus-rule.sh"], check=True, capture_output=True, text=True).stdout
    rule = yaml.safe_load(printed)
    assert rule["spec"] == yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())
    validate(rule, VERSIONS[-1])


@pytest.mark.parametrize("folder", DIFFERENT)
def test_kubectl_builds_the_same_where_it_is_installed(folder):
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed: kustomize.py stands for it")
    printed = subprocess.run(["kubectl", "kustomize", KUBERNETES / folder], check=True, capture_output=True).stdout
    theirs = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(printed)}
    for resources in (theirs, ours := build(KUBERNETES / folder)):
        # A merged list may be in another order.
        resources["Deployment", NAME]["spec"]["template"]["spec"]["containers"][0]["env"].sort(key=lambda each: each["name"])
    assert theirs == ours


def test_the_container_can_do_little():
    spec = pod()
    context = spec["securityContext"]
    assert context["runAsNonRoot"] and context["runAsUser"] == 65532
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    assert not any(spec.get(host) for host in ("hostNetwork", "hostPID", "hostIPC"))
    assert container["resources"]["limits"]["memory"] and container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert spec["enableServiceLinks"] is False


def test_calls_are_not_lost_while_pods_are_replaced():
    deployment = build(KUBERNETES / "base")["Deployment", NAME]["spec"]
    assert deployment["replicas"] >= 2 and deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    (container,) = pod()["containers"]
    assert {name: container[name]["httpGet"]["path"] for name in container if name.endswith("Probe")} == {
        "startupProbe": "/health/live", "livenessProbe": "/health/live", "readinessProbe": "/health/ready"}
    assert pod()["terminationGracePeriodSeconds"] >= container["lifecycle"]["preStop"]["sleep"]["seconds"] + SHORTEST_PATIENCE
    # GatewayAPI lets in 40 connections.
    settings = {each["name"]: each["value"] for each in container["env"]}
    pods = deployment["replicas"] + deployment["strategy"]["rollingUpdate"]["maxSurge"]
    assert pods * int(settings["SMS_GATEWAYAPI__MAX_CONNECTIONS"]) <= 40


def test_secrets_are_files():
    (container,) = pod()["containers"]
    (mount,) = container["volumeMounts"]
    assert mount["readOnly"] and mount["mountPath"] == "/run/secrets/sms"
    names = {each["name"] for each in container["env"] if each["value"].startswith("/run/secrets/sms/")}
    assert names == {
        "SMS_LOGTO__AUTHORIZATION_FILE", "SMS_GATEWAYAPI__API_TOKEN_FILE", "SMS_DELIVERY_REPORTS__SECRET_FILE",
        "SMS_LEDGER__URL_FILE", "SMS_LEDGER__PSEUDONYM_KEY_FILE", "SMS_OPERATOR__TOKEN_FILE"}
    # README.md tells to make exactly these.
    told = (DEPLOY / "README.md").read_text()
    for each in container["env"]:
        if each["value"].startswith("/run/secrets/sms/"):
            assert f"--from-file={each['value'].rsplit('/', 1)[1]}" in told


@pytest.mark.parametrize("folder", DIFFERENT)
def test_selectors_find_the_pods(folder):
    resources = build(KUBERNETES / folder)
    labels = resources["Deployment", NAME]["spec"]["template"]["metadata"]["labels"].items()
    assert resources["Deployment", NAME]["spec"]["selector"]["matchLabels"].items() <= labels
    for kind, name in resources:
        spec = resources[kind, name]["spec"]
        match kind:
            case "Service":
                assert spec["selector"] and spec["selector"].items() <= labels
            case "PodDisruptionBudget":
                assert spec["selector"]["matchLabels"] and spec["selector"]["matchLabels"].items() <= labels
            case "NetworkPolicy":
                assert spec["podSelector"]["matchLabels"] and spec["podSelector"]["matchLabels"].items() <= labels
            case "ServiceMonitor":
                service = resources["Service", f"{NAME}-operator"]["metadata"]["labels"]
                assert spec["selector"]["matchLabels"].items() <= service.items()
                # The other service must not be scraped: it has no such port, but its label would match.
                assert not spec["selector"]["matchLabels"].items() <= resources["Service", NAME]["metadata"]["labels"].items()
                job = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"][0]["job_name"]
                assert service[spec["jobLabel"]] == job, "the alerts count on the job's name"


def test_the_operators_port_is_open_to_monitoring_only():
    policy = build(KUBERNETES / "base")["NetworkPolicy", NAME]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    callers = {port["port"]: [each["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for each in rule["from"]]
               for rule in policy["ingress"] for port in rule["ports"]}
    assert callers == {8080: ["logto", "ingress-nginx"], 9090: ["monitoring"]}
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53, 5432, 443}
    assert all(rule["to"] for rule in policy["egress"])
    services = build(KUBERNETES / "base")
    assert [port["targetPort"] for port in services["Service", NAME]["spec"]["ports"]] == ["public"]
    assert [port["targetPort"] for port in services["Service", f"{NAME}-operator"]["spec"]["ports"]] == ["operator"]
