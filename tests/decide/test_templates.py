from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide.arguments import RunContext, TemplateError, field_value, flatten, go_escaped, merge, substitute
from sim.decide.templates import flattened, parse_metric, resolve, resolve_metric, templates_of
from sim.model.analysis import (
    AnalysisRef,
    AnalysisTemplate,
    Argument,
    DatadogProvider,
    OtherProvider,
    PrometheusProvider,
    RangeQuery,
    SecretRef,
    TemplateRef,
)
from sim.model.manifests import ManifestSet
from sim.model.pods import PodTemplate
from sim.model.rollout import RolloutSpec

SPEC = RolloutSpec("api", template=PodTemplate(labels=(("app", "api"),), image="api:2"))
CONTEXT = RunContext(canary_hash="new", stable_hash="old")


def text(name: str = "rate", **more: Any) -> str:
    return json.dumps({"name": name, "provider": {"prometheus": {"query": "up"}}} | more)


def template(name: str = "t", *metrics: str, **more: Any) -> AnalysisTemplate:
    return AnalysisTemplate(name, metrics_json=metrics or (text(),), **more)


def run_of(*templates: AnalysisTemplate, args: tuple[Argument, ...] = (), context: RunContext = CONTEXT) -> Any:
    ref = AnalysisRef(tuple(TemplateRef(t.name) for t in templates), args)
    return resolve(ref, ManifestSet(analysis_templates=templates), SPEC, context, "api-new-2-1")


def error_of(
    *templates: AnalysisTemplate, args: tuple[Argument, ...] = (), context: RunContext = CONTEXT
) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        run_of(*templates, args=args, context=context)
    return caught.value


def test_metric_as_written() -> None:
    written = {
        "name": "m", "interval": "1m", "count": "5", "failureLimit": 2, "consecutiveSuccessLimit": "x",
        "successCondition": "result > 0", "provider": {"prometheus": {"query": "up", "rangeQuery": {"start": "now()", "step": "30s"}, "timeout": 5}},
    }  # fmt: skip
    metric = parse_metric(written)
    assert (metric.count, metric.failure_limit, metric.consecutive_success_limit) == (5, 2, 0)
    assert metric.providers == (PrometheusProvider("up", timeout_s=5.0, range_query=RangeQuery("now()", "", "30s")),)
    assert metric.initial_delay is None


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        pytest.param({}, (), id="none"),
        pytest.param({"prometheus": None}, (), id="null"),
        pytest.param({"datadog": {"query": "q"}}, (DatadogProvider("q"),), id="datadog-defaults"),
        pytest.param({"job": {"spec": 1}}, (OtherProvider("job", '{"spec": 1}'),), id="other"),
        pytest.param(
            {"plugin": {"a": 1, "b": 2}},
            (OtherProvider("plugin", '{"a": 1}'), OtherProvider("plugin", '{"b": 2}')),
            id="each-plugin-counts",
        ),
        pytest.param({"made-up": {}}, (), id="unknown-is-pruned"),
    ],
)
def test_providers(provider: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert parse_metric({"name": "m", "provider": provider}).providers == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [pytest.param("interval", 60, id="number-for-text"), pytest.param("count", 1.5, id="fraction-for-count")],
)
def test_wrong_types_are_refused(field: str, value: Any) -> None:
    with pytest.raises(TemplateError, match=f"cannot unmarshal number into Go struct field Metric.{field}"):
        parse_metric({"name": "m", field: value})


@pytest.mark.parametrize(
    ("written", "values", "expected"),
    [
        pytest.param("{{args.a}}-{{ args.a }}", {"a": "x"}, "x-x", id="blanks-do-not-matter"),
        pytest.param("{{args.a}}", {"a": '"q" \\ \n'}, '\\"q\\" \\\\ \\n', id="escaped"),
        pytest.param("{{args.a}}", {"a": "旅"}, "旅", id="printable-stays"),
        pytest.param("plain }} text", {}, "plain }} text", id="no-tag"),
    ],
)
def test_substitution(written: str, values: dict[str, str], expected: str) -> None:
    assert substitute(written, [Argument(k, v) for k, v in values.items()]) == expected


@pytest.mark.parametrize(
    ("written", "arguments", "error"),
    [
        pytest.param("{{args.b}} {{ args.c }}", (), "failed to resolve {{ args.c }}", id="the-last-unknown-tag"),
        pytest.param("x", (Argument("a"),), 'argument "a" was not supplied', id="unused-but-empty"),
        pytest.param("{{args.a", (), "Cannot find end tag", id="not-closed"),
    ],
)
def test_substitution_errors(written: str, arguments: tuple[Argument, ...], error: str) -> None:
    with pytest.raises(TemplateError) as caught:
        substitute(written, arguments)
    assert error in caught.value.message


def test_the_last_unknown_tag_in_the_controllers_order() -> None:
    written = json.dumps({"provider": {"prometheus": {"query": "{{args.q}}"}}, "successCondition": "{{args.c}}"})
    with pytest.raises(TemplateError, match=r"failed to resolve \{\{args\.q\}\}"):
        resolve_metric(written, ())


def test_escapes_json_does_not_know() -> None:
    with pytest.raises(TemplateError, match="invalid character 'x' in string escape code"):
        resolve_metric(text(successCondition="{{args.a}}"), (Argument("a", "\x01"),))


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["C"], exclude_characters="\x07\x0b")))
def test_values_survive_substitution(value: str) -> None:
    metric = resolve_metric(text(successCondition="{{args.a}}"), (Argument("a", value),))
    assert metric.success_condition == value
    assert "\n" not in go_escaped(value)


@pytest.mark.parametrize(
    ("incoming", "declared", "expected"),
    [
        pytest.param((Argument("a", "1"),), (Argument("a", "0"),), (Argument("a", "1"),), id="incoming-wins"),
        pytest.param((Argument("b", "1"),), (Argument("a", "0"),), (Argument("a", "0"),), id="unknown-is-dropped"),
        pytest.param((Argument("a", ""),), (Argument("a"),), (Argument("a", ""),), id="empty-is-a-value"),
        pytest.param(
            (Argument("a", "1"),),
            (Argument("a", secret=SecretRef("s", "k")),),
            (Argument("a", "1", SecretRef("s", "k")),),
            id="the-secret-stays",
        ),
    ],
)
def test_merge(incoming: Any, declared: Any, expected: Any) -> None:
    assert merge(incoming, declared) == expected


def test_unresolved_argument() -> None:
    with pytest.raises(TemplateError, match=r"args\.a was not resolved"):
        merge((), (Argument("a"),))


def test_flattening_fills_in_values_and_refuses_conflicts() -> None:
    assert flatten([[Argument("a")], [Argument("a", "1")], [Argument("a")]]) == (Argument("a", "1"),)
    with pytest.raises(TemplateError, match="specified multiple times with different values: '1', '2'"):
        flatten([[Argument("a", "1")], [Argument("a", "2")]])


def test_duplicate_metrics_are_refused() -> None:
    with pytest.raises(TemplateError, match="two metrics have the same name 'rate'"):
        flattened([template("a"), template("b")])


def test_nested_templates_come_once() -> None:
    inner = template("inner", text("latency"))
    outer = template("outer", templates=(TemplateRef("inner"),))
    manifests = ManifestSet(analysis_templates=(inner, outer))
    found = templates_of([TemplateRef("outer"), TemplateRef("inner")], manifests, "default")
    assert [t.name for t in found] == ["outer", "inner"]


def test_a_ring_of_templates_is_refused() -> None:
    ring = template("ring", templates=(TemplateRef("ring"),))
    with pytest.raises(TemplateError, match="nested"):
        templates_of([TemplateRef("ring")], ManifestSet(analysis_templates=(ring,)), "default")


def test_missing_template() -> None:
    with pytest.raises(TemplateError, match=r'clusteranalysistemplate\.argoproj\.io "x" not found'):
        templates_of([TemplateRef("x", cluster_scope=True)], ManifestSet(), "default")


def test_template_of_another_namespace_is_not_there() -> None:
    elsewhere = template("t", namespace="other")
    with pytest.raises(TemplateError, match="not found"):
        templates_of([TemplateRef("t")], ManifestSet(analysis_templates=(elsewhere,)), "default")


def test_run_with_arguments_from_everywhere() -> None:
    declared = tuple(Argument(name) for name in ("hash", "before", "image", "who", "plain"))
    args = (
        Argument("hash", pod_template_hash="Latest"),
        Argument("before", pod_template_hash="Stable"),
        Argument("image", field_path="spec.template.spec.containers[0].image"),
        Argument("who", field_path="metadata.name"),
        Argument("plain", "5"),
    )
    query = "{{args.hash}} {{args.before}} {{args.image}} {{args.who}}"
    written = text(count="{{args.plain}}", interval="1m", provider={"prometheus": {"query": query}})
    run = run_of(template("t", written, args=declared), args=args)
    assert run.metrics[0].provider == PrometheusProvider("new old api:2 api")
    assert run.metrics[0].count == 5
    assert run.name == "api-new-2-1"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        pytest.param("spec.nothing", "invalid path spec.nothing in rollout", id="unknown"),
        pytest.param("spec.template", "must terminate in a primitive value", id="object"),
        pytest.param("spec.template.spec.containers[7].image", "index 7 out of range", id="index"),
        pytest.param("spec.template.spec.containers[x]", "invalid index 'x'", id="no-index"),
        pytest.param("metadata.generation", "unsupported fieldPath: metadata.generation", id="metadata"),
    ],
)
def test_field_paths_that_lead_nowhere(path: str, error: str) -> None:
    with pytest.raises(TemplateError) as caught:
        field_value(SPEC, path)
    assert error in caught.value.message


@pytest.mark.parametrize(
    ("written", "more", "message", "in_run"),
    [
        pytest.param(
            text(successCondition="{{args.x}}"),
            {},
            "Unable to resolve metric arguments: failed to resolve {{args.x}}",
            True,
            id="unknown-tag",
        ),
        pytest.param(
            text(count=2),
            {},
            "Analysis spec invalid: metrics[0]: interval must be specified when count > 1",
            True,
            id="invalid-metric",
        ),
        pytest.param(
            text(),
            {"dry_run": ("nothing",)},
            "Analysis spec invalid: dryRun[0]: Rule didn't match any metric name(s)",
            True,
            id="rule-without-metric",
        ),
        pytest.param(
            text(),
            {"retention": (("rate", 1), ("rate", 2))},
            "two Measurement Retention metric rules have the same name 'rate'",
            False,
            id="rule-twice",
        ),
        pytest.param(text(), {"args": (Argument("a"),)}, "args.a was not resolved", False, id="no-value"),
    ],
)
def test_runs_that_cannot_start(written: str, more: dict[str, Any], message: str, in_run: bool) -> None:
    error = error_of(template("t", written, **more))
    assert (error.message, error.in_run) == (message, in_run)


def test_no_templates_cannot_even_be_created() -> None:
    error = error_of()
    assert not error.in_run
    assert "spec.metrics" in error.message


def test_secrets() -> None:
    declared = template("t", text(successCondition="{{args.s}}"), args=(Argument("s", secret=SecretRef("db", "pw")),))
    assert run_of(declared).metrics[0].success_condition == "temp-for-secret"
    known = RunContext(secrets={"db": {"pw": "hunter2"}})
    assert run_of(declared, context=known).metrics[0].success_condition == "hunter2"
    missing = error_of(declared, context=RunContext(secrets={}))
    assert missing.message == 'Unable to resolve metric arguments: secrets "db" not found'
    keyless = error_of(declared, context=RunContext(secrets={"db": {}}))
    assert keyless.message.endswith("key 'pw' does not exist in secret 'db'")
