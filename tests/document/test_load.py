"""Scenario files that are right: defaults, inheritance, overrides, identity, explanation."""

import dataclasses
from pathlib import Path

import pytest

from scenarios import library
from scenarios.document import from_manifests, load
from scenarios.document.explain import explain
from scenarios.document.fields import DelayKind, Kind, ListOf, Maybe, Section, Union
from scenarios.document.schema import ALERT, BEHAVIOUR, DOCUMENT, RELEASE, TARGET, TRIGGER
from sim.model.behaviour import Delay, Errors, Shape
from sim.model.controller import Controller
from sim.model.strategy import RollingUpdate
from tests.document.test_broken import DEPLOYMENT, HEAD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str, name: str = "scenario.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("text", ["argo-1.8", "argo-1.8.4"])
def test_controller_release(folder: Path, text: str) -> None:
    assert load(written(folder, HEAD), [f"controller={text}"]).scenario.controller is Controller.ARGO_1_8


def test_what_is_not_written_is_the_models_default(folder: Path) -> None:
    scenario = load(written(folder, HEAD)).scenario
    assert scenario.strategy == RollingUpdate("web")
    assert scenario.client.timeout_s == 1.0
    assert scenario.release.behaviour.name == "stable"


def test_a_release_differs_from_stable_only_where_it_says_so(folder: Path) -> None:
    text = HEAD + (
        "stable: {latency: {median: 80ms, sigma: 0.7}, concurrency: 3}\n"
        "release: bad\nreleases: [{name: bad, good: false, share: 100%, behaviour: {statuses: {500: 5%}}}]\n"
    )
    behaviour = load(written(folder, text)).scenario.release.behaviour
    assert behaviour.service_time == Delay(0.08, Shape.LOGNORMAL, 0.7)
    assert (behaviour.name, behaviour.concurrency, behaviour.statuses) == ("bad", 3, ((500, 0.05),))


def test_a_child_replaces_lists_and_merges_mappings(folder: Path) -> None:
    written(folder, HEAD + "client: {timeout: 2s, retries: 4}\ntelemetry: {sample_interval: 5s}\n", "parent.yaml")
    child = written(folder, "extends: parent.yaml\nclient: {retries: 0}\n")
    scenario = load(child).scenario
    assert (scenario.client.timeout_s, scenario.client.retries) == (2.0, 0)
    assert scenario.telemetry.sample_interval_s == 5.0


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        pytest.param("horizon=90m", "horizon_s", 5400.0, id="duration"),
        pytest.param("horizon=2d", "horizon_s", 172800.0, id="days"),
        pytest.param("slo=99.5%", "slo", 0.995, id="percent"),
        pytest.param("title=Grüße 東京", "title", "Grüße 東京", id="unicode"),
        pytest.param("seed=7", "seed", 7, id="number"),
    ],
)
def test_an_override_wins(folder: Path, override: str, path: str, value: object) -> None:
    assert getattr(load(written(folder, HEAD), [override]).scenario, path) == value


def test_an_override_may_reach_into_lists_and_make_sections(folder: Path) -> None:
    file = written(folder, HEAD + "faults: [{kind: errors, ratio: 1%}]\n")
    scenario = load(file, ["faults[0].ratio=50%", "people.alert.error_ratio=1%"]).scenario
    assert scenario.faults[0].effect == Errors(0.5)
    assert scenario.people.alert is not None
    assert scenario.people.alert.error_ratio == 0.01


def test_equal_scenarios_have_equal_identities(folder: Path) -> None:
    file = written(folder, HEAD)
    assert load(file).hash == load(file).hash
    assert load(file).hash != load(file, ["seed=2"]).hash
    assert hash(load(file).scenario) == hash(load(file).scenario)


def test_an_absent_object_is_left_out(folder: Path) -> None:
    (folder / "other.yaml").write_text(DEPLOYMENT.replace("name: web}", "name: other}"), encoding="utf-8")
    text = "schema: rolltwin/v1\nmanifests: [web.yaml, other.yaml]\nwithout: [Deployment/other]\n"
    assert [item.name for item in load(written(folder, text)).scenario.manifests.deployments] == ["web"]


def test_bare_manifests_meet_the_default_world(folder: Path) -> None:
    loaded = from_manifests([folder / "web.yaml"])
    assert loaded.scenario.load.rate_rps(0) == 40  # 20 for each of two pods
    assert {item.name for item in loaded.scenario.mix} == {"good", "errors-5", "slow", "crash-loop"}


@pytest.mark.parametrize("variant", library.VARIANTS)
@pytest.mark.parametrize("strategy", library.STRATEGIES)
def test_every_packaged_scenario_loads(strategy: str, variant: str) -> None:
    scenario = load(library.playbook(strategy, variant)).scenario
    assert (scenario.name, scenario.variant) == (strategy, variant)
    assert sum(item.share for item in scenario.mix if not item.good) == pytest.approx(0.12)


def sections(kind: Kind) -> list[Section]:
    match kind:
        case Section(fields=fields):
            return [kind, *(inner for item in fields for inner in sections(item.kind))]
        case Union(sections=members):
            return [inner for member in members.values() for inner in sections(member)]
        case Maybe(kind=inner) | ListOf(kind=inner):
            return sections(inner)
        case _:
            return []


ALL = {section.cls.__name__: section for root in (DOCUMENT, RELEASE, TRIGGER, TARGET) for section in sections(root)}

SET_BY_THE_ENGINE = {"Target": {"version"}}


@pytest.mark.parametrize("section", ALL.values(), ids=ALL.keys())
def test_every_attribute_can_be_written(section: Section) -> None:
    attributes = {item.name for item in dataclasses.fields(section.cls)}
    assert {item.attribute for item in section.fields} == attributes - SET_BY_THE_ENGINE.get(
        section.cls.__name__, set()
    )


def test_the_explanation_names_every_field_with_its_default() -> None:
    text = explain()
    assert "scrape_interval: 15s" in text
    assert "approve: {median: 5m, shape: lognormal, sigma: 0.5}" in text
    assert explain("people.alert").splitlines()[0].startswith("error_ratio: 5%")
    assert all(f"{item.name}:" in explain("stable") for item in BEHAVIOUR.fields)
    assert len(explain("people.alert").splitlines()) == len(ALERT.fields)
    assert isinstance(BEHAVIOUR.fields[1].kind, DelayKind)


@pytest.mark.parametrize(
    ("written_answer", "steps"),
    [
        pytest.param("answer: success", ((0.0, "success"),), id="a word"),
        pytest.param("answer: {ok: true, n: [1, null]}", ((0.0, '{"ok": true, "n": [1, null]}'),), id="a value"),
        pytest.param("answer: 0.5", ((0.0, "0.5"),), id="a number"),
        pytest.param("answers: {0s: 1, 5m: 'error: down'}", ((0.0, "1"), (300.0, "error: down")), id="steps"),
        pytest.param("answer: 1, answers: {1m: null}", ((0.0, "1"), (60.0, "null")), id="then no data"),
    ],
)
def test_what_a_signal_may_answer(folder: Path, written_answer: str, steps: tuple[tuple[float, str], ...]) -> None:
    signals = f"telemetry: {{signals: [{{template: smoke, metric: health, {written_answer}}}]}}\n"
    assert load(written(folder, HEAD + signals)).scenario.telemetry.signals[0].steps == steps


@pytest.mark.parametrize(
    ("replicas", "rate", "expected"),
    [
        pytest.param(1, "20/pod", 20.0, id="one pod"),
        pytest.param(10, "2.5 / pod", 25.0, id="ten pods"),
        pytest.param(0, "20/pod", 20.0, id="no pods are called as one"),
        pytest.param(10, "20", 20.0, id="in all"),
    ],
)
def test_a_rate_for_each_pod_counts_the_desired_pods(folder: Path, replicas: int, rate: str, expected: float) -> None:
    web = DEPLOYMENT.replace("replicas: 2", f"replicas: {replicas}")
    (folder / "web.yaml").write_text(web, encoding="utf-8")
    traffic = f"traffic: {{stages: [{{duration: 1h, rate: {rate}}}]}}\n"
    scenario = load(written(folder, HEAD + traffic)).scenario
    assert scenario.load.stages[0].rate_rps == expected
