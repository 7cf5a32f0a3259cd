from __future__ import annotations

import pytest

from scenarios.manifests import typed
from tests.manifests.conftest import Reader

ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: api
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: api:1
  strategy:
    canary:
      steps:
        - setWeight: 10
        - pause: {duration: 1m}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: api\nspec:\n  ports:\n    - port: 80\n"
ANALYSIS = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: ok
spec:
  metrics:
    - name: ok
      count: 1
      provider:
        prometheus: {query: up, address: http://p}
"""
ROUTES = """\
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: api
spec:
  hosts: [api]
  http:
    - match:
        - uri: {exact: /a}
      route:
        - destination: {host: api}
          weight: 100
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: api
spec:
  project: default
  destination: {name: in-cluster, namespace: api}
  source: {repoURL: https://example.com/r.git, path: p}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  strategy: {type: RollingUpdate}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 5}
"""


@pytest.mark.parametrize(
    "text", [ROLLOUT, SERVICE, ANALYSIS, ROUTES, APPLICATION, DEPLOYMENT], ids=lambda t: t.split()[3]
)
def test_valid_objects_have_no_findings(read: Reader, text: str) -> None:
    assert read(text).findings == ()


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "message"),
    [
        pytest.param(ROLLOUT, "replicas", "replica", 6, 'unknown field "spec.replica"', id="misspelt field"),
        pytest.param(ROLLOUT, "replicas: 2", 'replicas: "2"', 6,
                     'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
                     id="text for a number"),
        pytest.param(ROLLOUT, "setWeight: 10", "setWeight: 10%", 17,
                     'spec.strategy.canary.steps[0].setWeight: Invalid value: "string": '
                     'spec.strategy.canary.steps[0].setWeight in body must be of type integer: "string"',
                     id="percent sign in a weight"),
        pytest.param(ROLLOUT, "pause: {duration: 1m}", "pause: 1m", 18,
                     'spec.strategy.canary.steps[1].pause: Invalid value: "string": '
                     'spec.strategy.canary.steps[1].pause in body must be of type object: "string"', id="pause without duration"),
        pytest.param(ROLLOUT, "- pause: {duration: 1m}", "-", 18,
                     'spec.strategy.canary.steps[1]: Invalid value: "null": '
                     'spec.strategy.canary.steps[1] in body must be of type object: "null"', id="empty step"),
        pytest.param(ROLLOUT, "pause: {duration: 1m}", "pause: {duration: 1.5}", 18,
                     'spec.strategy.canary.steps[1].pause.duration: Invalid value: "number": '
                     'spec.strategy.canary.steps[1].pause.duration in body must be of type integer,string: "number"',
                     id="fraction for a duration"),
        pytest.param(ROLLOUT, "steps:", "analysis: {successfulRunHistoryLimit: 3}\n      steps:", 16,
                     'unknown field "spec.strategy.canary.analysis.successfulRunHistoryLimit"', id="moved field"),
        pytest.param(ROLLOUT, "        - name: api\n", "        - nam: api\n", 12,
                     "spec.template.spec.containers[0].name: Required value", id="required field of a list item"),
        pytest.param(ROLLOUT, "name: api\nspec", "name: API\nspec", 4, 'metadata.name: Invalid value: "API": a lowercase RFC 1123',
                     id="capital letters in a name"),
        pytest.param(ROLLOUT, "  name: api\nspec", "  labels: {a: b}\nspec", 3, "resource name may not be empty", id="no name"),
        pytest.param(ROLLOUT, "  name: api\nspec", "  name: api\n  owner: me\nspec", 5, 'unknown field "metadata.owner"',
                     id="unknown metadata"),
        pytest.param(ROLLOUT, "  name: api\nspec", "  name: api\n  labels: {v: 1.5}\nspec", 5,
                     'metadata.labels.v: Invalid value: "number"', id="number as a label"),
        pytest.param(ROLLOUT, "v1alpha1", "v1", 1, 'no matches for kind "Rollout" in version "argoproj.io/v1"', id="wrong version"),
        pytest.param(ROLLOUT, "spec:\n  replicas", "status: {}\nspecs:\n  replicas", 6, 'unknown field "specs"', id="root field"),
        pytest.param(SERVICE, "port: 80", "port: http", 7,
                     'spec.ports[0].port: Invalid value: "string": spec.ports[0].port in body must be of type integer: "string"',
                     id="port name for a number"),
        pytest.param(SERVICE, "spec:", "spec:\n  type: External", 6,
                     'spec.type: Unsupported value: "External": supported values: "ClusterIP", "NodePort", "LoadBalancer", '
                     '"ExternalName"', id="enum"),
        pytest.param(SERVICE, "  ports:\n    - port: 80", "  ports: 80", 6,
                     'spec.ports: Invalid value: "integer": spec.ports in body must be of type array: "integer"', id="no list"),
        pytest.param(ANALYSIS, "{query: up", "{queryy: up", 10,
                     'unknown field "spec.metrics[0].provider.prometheus.queryy"', id="misspelt query"),
        pytest.param(ANALYSIS, "      provider:\n        prometheus: {query: up, address: http://p}\n", "", 7,
                     "spec.metrics[0].provider: Required value", id="no provider"),
        pytest.param(ANALYSIS, "count: 1", "count: yes", 8, "spec.metrics[0].count: Invalid value", id="boolean count"),
        pytest.param(ANALYSIS, "count: 1", "failureLimits: 1", 8, 'unknown field "spec.metrics[0].failureLimits"',
                     id="plural of a limit"),
        pytest.param(ROUTES, "weight: 100", 'weight: "100"', 12, "spec.http[0].route[0].weight: Invalid value", id="quoted weight"),
        pytest.param(ROUTES, "{exact: /a}", "{exact: /a, prefix: /b}", 9,
                     "spec.http[0].match[0].uri: Invalid value: only one of exact, prefix may be set", id="two matches"),
        pytest.param(ROUTES, "{host: api}", "{hostname: api}", 11, 'unknown field "spec.http[0].route[0].destination.hostname"',
                     id="misspelt host"),
        pytest.param(APPLICATION, "project: default", "projects: default", 6, 'unknown field "spec.projects"', id="project"),
        pytest.param(APPLICATION, "spec:", "spec:\n  syncPolicy: {automated: {prune: 'true'}}", 6,
                     "spec.syncPolicy.automated.prune: Invalid value", id="quoted boolean"),
        pytest.param(APPLICATION, "  project: default\n", "", 5, "spec.project: Required value", id="no project"),
        pytest.param(DEPLOYMENT, "RollingUpdate", "Rolling", 8, "spec.strategy.type: Unsupported value", id="strategy type"),
        pytest.param(DEPLOYMENT, "periodSeconds: 5", "periodSeconds: 5s", 14,
                     "spec.template.spec.containers[0].readinessProbe.periodSeconds: Invalid value", id="unit in seconds"),
        pytest.param(DEPLOYMENT, "  selector: {matchLabels: {app: api}}\n", "", 5, "spec.selector: Required value", id="no selector"),
        pytest.param(DEPLOYMENT, "readinessProbe", "readynessProbe", 14,
                     'unknown field "spec.template.spec.containers[0].readynessProbe"', id="misspelt probe"),
    ],
)  # fmt: skip
def test_what_the_api_server_refuses_is_found_at_its_line(
    read: Reader, *, text: str, old: str, new: str, line: int, message: str
) -> None:
    assert old in text
    documents = read(text.replace(old, new, 1))
    found = [(f.line, f.message) for f in documents.findings]
    assert any(number == line and what.startswith(message) for number, what in found), found
    assert len(typed(documents).refusals) == 1


@pytest.mark.parametrize(
    ("text", "old", "new", "suggestion"),
    [
        pytest.param(ROLLOUT, "replicas", "replica", "did you mean replicas?", id="close"),
        pytest.param(ROLLOUT, "setWeight", "set_weight", "did you mean setWeight?", id="snake case"),
        pytest.param(ROLLOUT, "steps:", "analysis: {successfulRunHistoryLimit: 3}\n      steps:", "belongs to spec.analysis",
                     id="other place"),
        pytest.param(ROLLOUT, "replicas: 2", "maxSurge: 1", "belongs to spec.strategy.canary", id="deeper place"),
        pytest.param(ROLLOUT, "replicas", "zzz", "", id="nothing like it"),
        pytest.param(SERVICE, "name: api", "name: api\n  labels: {on: 5}", "quote it", id="number for text"),
    ],
)  # fmt: skip
def test_suggestions(read: Reader, text: str, old: str, new: str, suggestion: str) -> None:
    (finding,) = read(text.replace(old, new, 1)).findings
    assert finding.suggestion == suggestion


def test_a_refusal_names_every_unknown_field_in_the_api_servers_words(read: Reader) -> None:
    (refusal,) = typed(read(ROLLOUT.replace("replicas: 2", "one: 1\n  two: 2\n  replicas: x"))).refusals
    assert refusal.message == 'strict decoding error: unknown field "spec.one", unknown field "spec.two"'
    assert (refusal.kind, refusal.name, refusal.line) == ("Rollout", "api", 6)


def test_several_type_errors_are_one_refusal(read: Reader) -> None:
    (refusal,) = typed(read(ROLLOUT.replace("replicas: 2", "replicas: x\n  paused: x"))).refusals
    assert refusal.message.startswith('Rollout.argoproj.io "api" is invalid: [spec.replicas: Invalid value')


def test_kinds_without_a_table_are_information(read: Reader) -> None:
    documents = read("apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c}\nspec: {any: thing}\n")
    assert [(f.code, f.severity.value) for f in documents.findings] == [("RT007", "info")]
    assert typed(documents).refusals == ()


def test_null_is_not_written_for_built_in_kinds(read: Reader) -> None:
    assert read(SERVICE.replace("spec:", "spec:\n  selector:")).findings == ()


def test_null_is_not_written_for_kubernetes_own_groups(read: Reader) -> None:
    text = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec:\n  tls:\n"
    assert read(text).findings == ()


def test_a_deployments_pod_template_may_have_any_metadata(read: Reader) -> None:
    assert read(DEPLOYMENT.replace("metadata: {labels", "metadata: {name: ignored, labels")).findings == ()
