"""Clusters, namespaces, kinds and dumps, as far as they go without a cluster."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import crds, dump, namespace
from harness.cluster.api import ClusterObjects
from harness.cluster.commands import CommandError, run
from harness.cluster.connection import ApiError, Connection
from harness.cluster.context import context_cluster, copied
from harness.cluster.forward import forwarded
from harness.cluster.kind import KindSettings, fresh_name, kind_cluster
from harness.cluster.objects import Object
from harness.ending import termination_as_interrupt, uninterrupted
from harness.missing import MissingError
from harness.waiting import WaitError, wait_until
from tests.harness.apiserver import Server, kubeconfig, running


def script(file: Path, text: str) -> Path:
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


@contextmanager
def a_server(folder: Path) -> Iterator[tuple[Server, ClusterObjects]]:
    with running() as server:
        connection = Connection(kubeconfig(server, folder))
        with ClusterObjects(connection, "run") as objects:
            yield server, objects
        connection.close()


def test_a_program_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"exit code 3\nno such thing") as caught:
        run(script(tmp_path / "program", "echo no such thing >&2; exit 3"))
    assert caught.value.code == 3
    with pytest.raises(CommandError, match="took too long"):
        run(script(tmp_path / "slow", "exec sleep 60"), timeout_s=0.05)
    assert run("cat", stdin="said") == "said"


def test_a_context_is_copied_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLTWIN_KUBECTL", str(script(tmp_path / "kubectl", 'echo "$@"')))
    file = copied("team-a", tmp_path, Path("theirs"))
    said = file.read_text(encoding="utf-8")
    assert said == "config view --kubeconfig theirs --context team-a --minify --flatten --raw --output json\n"
    assert file.stat().st_mode & 0o777 == 0o600


KUBECTL = """#!{python}
import socket, sys
if "proxy" not in sys.argv:
    print('{{"users": [{{"name": "me", "user": {{"exec": {{"command": "cloud"}}}}}}]}}')
    sys.exit()
print("starting", flush=True)
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[-1])
listening.listen()
while True:
    asking, _ = listening.accept()
    asking.recv(65536)
    said = b'{{"metadata": {{"name": "a"}}}}'
    asking.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(said) + said)
    asking.close()
"""


def test_a_user_known_by_a_program_is_left_to_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL.format(python=sys.executable), encoding="utf-8")
    kubectl.chmod(0o755)
    monkeypatch.setenv("ROLLTWIN_KUBECTL", str(kubectl))
    with context_cluster("cloud") as cluster, cluster.objects("run") as objects:
        assert objects.get("Pod", "a") == {"metadata": {"name": "a"}}


def test_a_context_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = script(tmp_path / "kubectl", 'echo "error: context was not found: prod" >&2; exit 1')
    monkeypatch.setenv("ROLLTWIN_KUBECTL", str(kubectl))
    with pytest.raises(CommandError, match="context was not found"), context_cluster("prod"):
        pytest.fail("there is no such context")


def test_a_forwarded_port_is_opened_again_with_the_same_number(tmp_path: Path) -> None:
    # Each start notes its arguments; the first ends at once, as kubectl does when its pod goes.
    text = f"""echo "$7" >> {tmp_path}/starts
    echo "Forwarding from 127.0.0.1:43210 -> 80"
    [ $(wc -l < {tmp_path}/starts) -gt 1 ] && exec sleep 60"""
    kubectl = script(tmp_path / "kubectl", text)
    starts = tmp_path / "starts"
    with forwarded([str(kubectl)], "run", "svc/web", 80) as address:
        assert str(address) == "127.0.0.1:43210"
        wait_until(lambda: len(starts.read_text(encoding="utf-8").split()) == 2, "second start", 10)
    assert starts.read_text(encoding="utf-8").split() == [":80", "43210:80"]


def test_a_port_that_cannot_be_forwarded_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.cluster.forward.OPEN_S", 0.2)
    kubectl = script(tmp_path / "kubectl", "echo 'Error: services \"web\" not found'; exit 1")
    with pytest.raises(WaitError, match='services "web" not found'), forwarded([str(kubectl)], "run", "svc/web", 80):
        pytest.fail("there is no such service")


def test_kind_without_its_programs_says_all_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for name in ("KIND", "KUBECTL", "DOCKER"):
        monkeypatch.delenv(f"ROLLTWIN_{name}", raising=False)
    with pytest.raises(MissingError) as caught, kind_cluster(KindSettings()):
        pytest.fail("there is no kind")
    assert {"docker", "kind", "kubectl"} <= {thing.what for thing in caught.value.things}


def test_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIND_CONFIG", "/somewhere/kind.yaml")
    monkeypatch.setenv("KIND_NODE_IMAGE", "local/node:1")
    monkeypatch.setenv("ROLLTWIN_KIND_CLUSTER", "dev")
    assert KindSettings.of_environment("pinned:1") == KindSettings("dev", "local/node:1", Path("/somewhere/kind.yaml"))
    assert KindSettings.of_environment(name="mine").name == "mine"
    assert fresh_name() != fresh_name()


KIND = """echo "$@" >> {folder}/asked
case "$2" in
  clusters) ls {folder}/clusters;;
  kubeconfig) cat {folder}/kubeconfig;;
  cluster) case $1 in create) {create};; delete) ;; esac;;
esac"""
CREATE = (
    'for word in "$@"; do case $word in --kubeconfig=*) cp {folder}/kubeconfig "${{word#--kubeconfig=}}";; esac; done'
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[[], list[str]]]:
    """Takes what kind does to create a cluster, and returns a way to what it was asked, without paths."""
    (tmp_path / "clusters").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("kubectl", "docker"):
        monkeypatch.setenv(f"ROLLTWIN_{name.upper()}", str(script(tmp_path / name, "true")))

    def asked() -> list[str]:
        assert not list((tmp_path / "here").iterdir())
        lines = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
        return [re.sub(r" --kubeconfig=.*", "", line) for line in lines if not line.startswith("get")]

    def install(create: str) -> Callable[[], list[str]]:
        text = KIND.format(folder=tmp_path, create=create.format(folder=tmp_path))
        monkeypatch.setenv("ROLLTWIN_KIND", str(script(tmp_path / "kind", text)))
        return asked

    return install


@contextmanager
def a_node(folder: Path) -> Iterator[None]:
    """An API server of a cluster that is ready."""
    with running() as server:
        kubeconfig(server, folder)
        server.put("/api/v1/nodes/one", status={"conditions": [{"type": "Ready", "status": "True"}]})
        server.put("/api/v1/namespaces/default/serviceaccounts/default")
        yield


Programs = Callable[[str], Callable[[], list[str]]]


def test_a_cluster_that_cannot_be_made_is_deleted_and_leaves_no_litter(programs: Programs) -> None:
    asked = programs("exit 1")
    with pytest.raises(CommandError, match="create cluster"), kind_cluster(KindSettings(image="node:1")):
        pytest.fail("there is no cluster")
    created, deleted = asked()
    assert created.startswith("create cluster --name=rolltwin-")
    assert deleted == created.replace("create", "delete")


def test_a_cluster_is_deleted_after_an_interrupt(programs: Programs, tmp_path: Path) -> None:
    asked = programs(CREATE)
    with a_node(tmp_path), pytest.raises(KeyboardInterrupt), kind_cluster(KindSettings()):
        signal.raise_signal(signal.SIGINT)
    assert [line.split()[0] for line in asked()] == ["create", "delete"]


@pytest.mark.parametrize(("existing", "commands"), [(True, []), (False, ["create"])], ids=["found", "kept"])
def test_a_cluster_of_others_or_to_be_kept_is_left(
    programs: Programs, tmp_path: Path, existing: bool, commands: list[str]
) -> None:
    asked = programs(CREATE)
    if existing:
        (tmp_path / "clusters/dev").touch()
    with a_node(tmp_path), kind_cluster(KindSettings("dev", keep=not existing)) as cluster:
        assert cluster.name == "dev"
        assert cluster.kubeconfig.stat().st_mode & 0o077 == 0
    assert [line.split()[0] for line in asked()] == commands


def test_a_guest_who_may_not_list_namespaces_gets_one_all_the_same(tmp_path: Path) -> None:
    with a_server(tmp_path) as (server, objects):
        server.refusal = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"}
        with pytest.raises(ApiError):
            namespace.sweep(objects)
        namespace._sweep_if_allowed(objects)


def test_namespaces_of_dead_runs_are_swept(tmp_path: Path) -> None:
    now = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with a_server(tmp_path) as (server, objects):
        for name, made, labels in (
            ("old", "2026-05-01T01:00:00Z", {namespace.LABEL: "1"}),
            ("young", "2026-05-01T11:00:00Z", {namespace.LABEL: "2"}),
            ("theirs", "2020-01-01T00:00:00Z", {}),
        ):
            server.put(f"/api/v1/namespaces/{name}", metadata={"creationTimestamp": made, "labels": labels})
        assert namespace.sweep(objects, now) == ("old",)
        assert "/api/v1/namespaces/old" not in server.objects


def test_only_absent_kinds_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crds, "_established", lambda *_: True)
    with a_server(tmp_path) as (server, objects):
        root = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        server.put(f"{root}/rollouts.argoproj.io")
        added = crds.install(objects, crds.ARGO)
    assert "rollouts.argoproj.io" not in added
    assert len(added) == 4
    assert not [path for method, path, *_ in server.asked if method == "PATCH" and "rollouts" in path]


def test_a_definition_leaves_the_schema_open_and_keeps_the_subresources() -> None:
    (version,) = crds.ARGO[0].definition()["spec"]["versions"]
    assert version["schema"]["openAPIV3Schema"]["x-kubernetes-preserve-unknown-fields"] is True
    assert set(version["subresources"]) == {"status", "scale"}
    stored = [item["name"] for item in crds.ISTIO[0].definition()["spec"]["versions"] if item["storage"]]
    assert stored == ["v1beta1"]


def waiting(reason: str) -> Object:
    return {"name": "web", "ready": False, "restartCount": 2, "state": {"waiting": {"reason": reason}}}


def test_a_summary_says_what_keeps_the_pods() -> None:
    found: dict[str, list[dict[str, Any]]] = {
        "Pod": [
            {
                "metadata": {"name": "a", "deletionTimestamp": "now"},
                "status": {"phase": "Running", "containerStatuses": [waiting("CrashLoopBackOff")]},
            }
        ],
        "Rollout": [{"kind": "Rollout", "metadata": {"name": "r"}, "status": {"phase": "Degraded", "message": "no"}}],
        "Event": [
            {"type": "Normal", "metadata": {}, "message": "fine"},
            {
                "type": "Warning",
                "metadata": {},
                "reason": "BackOff",
                "message": "again",
                "involvedObject": {"name": "a"},
            },
        ],
    }
    assert dump.summary(found).splitlines() == [
        "Pod a: Running ending, 0/1 ready, 2 restarts, web waiting: CrashLoopBackOff",
        "Rollout r: Degraded no",
        "Warning BackOff a: again",
    ]
    assert dump.summary({}) == "the namespace is empty"


def test_termination_is_heard_as_an_interrupt_and_not_while_taking_away() -> None:
    with uninterrupted():
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), termination_as_interrupt():
        signal.raise_signal(signal.SIGTERM)
