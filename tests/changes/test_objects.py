from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import manifests
from scenarios.changes.objects import Change, changes
from scenarios.manifests import Document, Documents

ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: shop:1
          resources: {requests: {cpu: 500m}}
  strategy:
    canary:
      steps:
        - setWeight: 20
        - pause: {duration: 10m}
        - setWeight: 50
        - pause: {duration: 10m}
"""
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: gate}
spec:
  metrics:
    - name: errors
      interval: 1m
      failureLimit: 0
      successCondition: result[0] < 0.05
      provider: {prometheus: {address: "http://p:9090", query: "sum(rate(x{a='b  c'}[1m]))"}}
    - name: latency
      interval: 1m
      successCondition: result[0] < 1
      provider: {prometheus: {address: "http://p:9090", query: p99}}
"""
SERVICE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop]
  http:
    - name: beta
      route: [{destination: {host: shop, subset: canary}, weight: 100}]
    - name: primary
      route:
        - {destination: {host: shop, subset: stable}, weight: 100}
        - {destination: {host: shop, subset: canary}, weight: 0}
"""


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    for side in ("old", "new"):
        (tmp_path / side).mkdir()
    return tmp_path


def between(folder: Path, old: str, new: str) -> tuple[Change, ...]:
    for side, text in (("old", old), ("new", new)):
        (folder / side / "a.yaml").write_text(text, encoding="utf-8")
    return changes(manifests.load([folder / "old"]), manifests.load([folder / "new"]))


def told(found: tuple[Change, ...]) -> list[tuple[str, str | None, str | None]]:
    return [(f"{change.subject} {change.where}".rstrip(), change.old, change.new) for change in found]


@pytest.mark.parametrize(
    ("text", "was", "now", "expected"),
    [
        pytest.param(
            ROLLOUT, "pause: {duration: 10m}\n        - setWeight: 50", "pause: {duration: 5m}\n        - setWeight: 50",
            [("Rollout shop canary step 2 pause", "10m", "5m")], id="a-pause",
        ),
        pytest.param(ROLLOUT, "setWeight: 50", "setWeight: 60", [("Rollout shop canary step 3 setWeight", "50", "60")],
                     id="a-weight"),
        pytest.param(ROLLOUT, "replicas: 4", "replicas: 6", [("Rollout shop replicas", "4", "6")], id="replicas"),
        pytest.param(
            ROLLOUT, "        - setWeight: 50\n", "        - setWeight: 30\n        - pause: {}\n        - setWeight: 50\n",
            [("Rollout shop canary step 3", None, "setWeight 30"),
             ("Rollout shop canary step 4", None, "pause until approved")],
            id="steps-put-in-between",
        ),
        pytest.param(
            ROLLOUT, "        - setWeight: 50\n        - pause: {duration: 10m}\n", "",
            [("Rollout shop canary step 3", "setWeight 50", None), ("Rollout shop canary step 4", "pause 10m", None)],
            id="steps-taken-away",
        ),
        pytest.param(
            ROLLOUT, "      steps:", "      analysis: {templates: [{templateName: gate}], startingStep: 2}\n      steps:",
            [("Rollout shop canary background analysis", None, "{templates: [{templateName: gate}], startingStep: 2}")],
            id="background-analysis",
        ),
        pytest.param(TEMPLATE, "failureLimit: 0", "failureLimit: 2",
                     [("AnalysisTemplate gate metric errors failureLimit", "0", "2")], id="a-limit"),
        pytest.param(TEMPLATE, "result[0] < 0.05", "result[0] < 0.1",
                     [("AnalysisTemplate gate metric errors successCondition", "result[0] < 0.05", "result[0] < 0.1")],
                     id="a-condition"),
        pytest.param(TEMPLATE, "query: p99", "query: p50",
                     [("AnalysisTemplate gate metric latency query", "p99", "p50")], id="a-query"),
        pytest.param(TEMPLATE, "b  c", "b c",
                     [("AnalysisTemplate gate metric errors query", "sum(rate(x{a='b  c'}[1m]))", "sum(rate(x{a='b c'}[1m]))")],
                     id="white-space-within-quotes"),
        pytest.param(SERVICE, "weight: 0", "weight: 5",
                     [("VirtualService shop route primary destination shop.canary weight", "0", "5")], id="a-route-weight"),
        pytest.param(SERVICE, "- name: beta", "- name: gamma",
                     [("VirtualService shop route beta",
                       "{name: beta, route: [{destination: {host: shop, subset: canary}, weight: 100}]}", None),
                      ("VirtualService shop route gamma", None,
                       "{name: gamma, route: [{destination: {host: shop, subset: canary}, weight: 100}]}")],
                     id="another-route"),
        pytest.param(SERVICE, "hosts: [shop]", "hosts: [shop, shop.example.org]",
                     [("VirtualService shop hosts", "[shop]", "[shop, shop.example.org]")], id="a-list-of-words"),
    ],
)  # fmt: skip
def test_a_change_is_told_in_words(
    changed: Path, text: str, was: str, now: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert was in text
    assert told(between(changed, text, text.replace(was, now, 1))) == expected


@pytest.mark.parametrize(
    ("text", "was", "now"),
    [
        pytest.param(ROLLOUT, "duration: 10m", "duration: 600s", id="a-duration-otherwise-written"),
        pytest.param(ROLLOUT, "duration: 10m", "duration: 600", id="a-duration-in-seconds"),
        pytest.param(ROLLOUT, "cpu: 500m", "cpu: 0.5", id="a-quantity-otherwise-written"),
        pytest.param(
            TEMPLATE,
            "query: \"sum(rate(x{a='b  c'}[1m]))\"",
            "query: \"sum(\\n rate(x{a='b  c'}[1m]))\"",
            id="a-query-rewrapped",
        ),
        pytest.param(ROLLOUT, "metadata: {name: shop}", "metadata: {name: shop, namespace: default}", id="namespace"),
        pytest.param(ROLLOUT, "kind: Rollout", "kind: Rollout # a comment", id="a-comment"),
        pytest.param(
            ROLLOUT, "metadata: {name: shop}", "metadata: {name: shop, generation: 4}", id="the-cluster-s-own"
        ),
    ],
)
def test_what_means_the_same_is_no_change_of_the_policy(changed: Path, text: str, was: str, now: str) -> None:
    assert was in text
    found = between(changed, text, text.replace(was, now))
    assert found == ()


def test_places_are_those_of_both_sides(changed: Path) -> None:
    (change,) = between(changed, TEMPLATE, "# moved\n" + TEMPLATE.replace("failureLimit: 0", "failureLimit: 1"))
    assert change.old_place == f"{changed / 'old' / 'a.yaml'}:8"
    assert change.new_place == f"{changed / 'new' / 'a.yaml'}:9"
    assert change.path == "spec.metrics[0].failureLimit"


def test_objects_come_and_go(changed: Path) -> None:
    found = between(changed, f"{ROLLOUT}---\n{TEMPLATE}", f"{ROLLOUT}---\n{SERVICE}")
    assert told(found) == [("AnalysisTemplate gate", "removed", None), ("VirtualService shop", None, "added")]


def test_the_order_of_routes_means_something(changed: Path) -> None:
    head, beta, primary = (
        SERVICE.partition("    - name: beta\n")[0],
        *SERVICE.partition("  http:\n")[2].split("    - name: ")[1:],
    )
    turned = f"{head}    - name: {primary}    - name: {beta}"
    assert told(between(changed, SERVICE, turned)) == [
        ("VirtualService shop http", "[beta, primary]", "[primary, beta]")
    ]


def test_what_the_model_does_not_read_is_said(changed: Path) -> None:
    budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: shop}\nspec: {minAvailable: 1}\n"
    (change,) = between(changed, budget, budget.replace("1}", "2}"))
    assert (change.where, change.old, change.new, change.modelled) == ("minAvailable", "1", "2", False)


@pytest.mark.parametrize(("was", "now"), [("true", "1"), ("'1'", "1"), ("null", "''"), (".nan", ".inf")])
def test_what_python_takes_for_equal_may_be_a_change(changed: Path, was: str, now: str) -> None:
    assert told(
        between(changed, f"{ROLLOUT}  x: [{{a: {was}}}, {{1: 2}}]\n", f"{ROLLOUT}  x: [{{a: {now}}}, {{1: 2}}]\n")
    )


def test_equal_manifests_have_no_changes(changed: Path) -> None:
    assert between(changed, f"{ROLLOUT}---\n{TEMPLATE}", f"{TEMPLATE}---\n{ROLLOUT}") == ()


KEYS = [
    "name",
    "steps",
    "strategy",
    "canary",
    "metrics",
    "http",
    "route",
    "duration",
    "cpu",
    "query",
    "replicas",
    "args",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "10m", "600s", "25%", "a b", "{{args.x}}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)
SPECS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)
KINDS = st.sampled_from([("Rollout", "argoproj.io/v1alpha1"), ("AnalysisTemplate", "argoproj.io/v1alpha1"),
                         ("VirtualService", "networking.istio.io/v1"), ("ConfigMap", "v1")])  # fmt: skip


def documents(kind: tuple[str, str], spec: dict[str, object]) -> Documents:
    data = {"kind": kind[0], "apiVersion": kind[1], "metadata": {"name": "x"}, "spec": spec}
    return Documents((Document(kind[0], kind[1], "x", "", data, "a.yaml"),))


@given(KINDS, SPECS, SPECS)
def test_whatever_is_written_can_be_compared(
    kind: tuple[str, str], old: dict[str, object], new: dict[str, object]
) -> None:
    there, back = (
        changes(documents(kind, old), documents(kind, new)),
        changes(documents(kind, new), documents(kind, old)),
    )
    assert bool(there) == bool(back)
    assert there or repr(old) == repr(new) or old == new or "10m" in str(old)
    assert all(change.old is not None or change.new is not None for change in there)
    assert changes(documents(kind, old), documents(kind, old)) == ()
