from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import library
from scenarios.manifests import Documents, load, typed
from sim.decide.templates import resolve_metric
from sim.decide.validation import rollout_errors
from sim.model.analysis import Argument
from sim.model.manifests import ManifestSet
from sim.model.rollout import CanaryStrategy
from sim.model.units import go_duration_s

TRIPTRIP = Path(library.__file__).parent / "triptrip"
PASSING = ("repaired", "corrected")


def documents(variant: str) -> Documents:
    return load([TRIPTRIP / variant])


def canary(manifests: ManifestSet) -> CanaryStrategy:
    strategy = manifests.rollouts[0].canary
    assert strategy is not None
    return strategy


def test_as_written_reports_each_violation_at_its_line() -> None:
    found = {(Path(f.file).name, f.line, f.column, f.code) for f in documents("as-written").findings}
    assert found == {
        ("4.1-rollout.yaml", 129, 9, "RT010"),
        ("4.1-rollout.yaml", 130, 9, "RT010"),
        ("6.2-applications.yaml", 110, 35, "RT001"),
    }


def test_as_written_is_refused_in_the_api_servers_words() -> None:
    refusals = {(r.kind, r.name): r.message for r in typed(documents("as-written")).refusals}
    analysis = "spec.strategy.canary.analysis"
    assert refusals == {
        ("ApplicationSet", "triptrip-api"): "error converting YAML to JSON: yaml: line 110: did not find expected key",
        ("Rollout", "triptrip-api"): (
            f'strict decoding error: unknown field "{analysis}.successfulRunHistoryLimit", '
            f'unknown field "{analysis}.unsuccessfulRunHistoryLimit"'
        ),
    }


def test_as_written_is_read_as_if_the_unknown_fields_were_pruned() -> None:
    strategy = canary(typed(documents("as-written")))
    assert strategy.analysis is not None
    assert strategy.analysis.templates == ()
    assert [step.set_weight for step in strategy.steps if step.set_weight is not None] == [1, 5, 25, 50, 100]


def test_as_written_is_an_invalid_spec_for_the_reasons_of_the_audit() -> None:
    manifests = typed(documents("as-written"))
    messages = [error.message for error in rollout_errors(manifests.rollouts[0], manifests)]
    assert messages[0].endswith("AntiAffinity must have exactly one strategy listed")
    for part in ('"triptrip-api-stable" not found', "runs indefinitely", "args.service-name was not resolved"):
        assert any(part in message for message in messages)


@pytest.mark.parametrize("variant", PASSING)
def test_repaired_and_corrected_are_clean(variant: str) -> None:
    read = documents(variant)
    manifests = typed(read)
    assert read.findings == ()
    assert manifests.refusals == ()
    assert rollout_errors(manifests.rollouts[0], manifests) == ()


@pytest.mark.parametrize("variant", PASSING)
def test_they_are_clean_for_the_versions_the_playbook_pins_too(variant: str) -> None:
    assert load([TRIPTRIP / variant], versions="playbook").findings == ()


@pytest.mark.parametrize("variant", PASSING)
def test_every_project_an_application_names_exists_and_allows_its_destination(variant: str) -> None:
    manifests = typed(documents(variant))
    names = {project.name for project in manifests.projects}
    assert {application.project for application in manifests.applications} <= names
    assert "triptrip" in names


@pytest.mark.parametrize("variant", PASSING)
def test_no_two_virtual_services_share_a_host(variant: str) -> None:
    hosts = [host for service in typed(documents(variant)).virtual_services for host in service.hosts]
    assert len(hosts) == len(set(hosts))


def test_repaired_keeps_the_playbooks_pauses_and_thresholds() -> None:
    before, after = typed(documents("as-written")), typed(documents("repaired"))
    pauses = [step.pause for step in canary(before).steps]
    assert [step.pause for step in canary(after).steps] == pauses
    assert len(after.analysis_templates) == len(before.analysis_templates)


def test_repaired_steps_can_fail() -> None:
    """A count of no more than failureLimit could never abort anything."""
    manifests = typed(documents("repaired"))
    used = {ref.name for step in canary(manifests).steps if step.analysis for ref in step.analysis.templates}
    for template in manifests.analysis_templates:
        if template.name in used:
            for raw in template.metrics_json:
                metric = resolve_metric(raw, (Argument("service-name", "x"),))
                assert metric.count is not None
                assert metric.failure_limit is not None
                assert metric.count == metric.failure_limit + 1


def test_corrected_pauses_ten_minutes_and_analyses_from_the_first_weight() -> None:
    strategy = canary(typed(documents("corrected")))
    pauses = [str(step.pause.duration) for step in strategy.steps if step.pause is not None]
    assert sum(go_duration_s(pause) for pause in pauses) <= 600
    assert strategy.analysis is not None
    assert strategy.analysis.starting_step == 1
    assert all(step.analysis is None for step in strategy.steps)


def test_corrected_regions_are_all_there_and_in_phases() -> None:
    sets = {one.name: one for one in typed(documents("corrected")).application_sets}
    geo = sets["triptrip-api-geo-rollout"]
    regions = {dict(element)["region"] for element in geo.elements}
    assert {"ap-northeast-1", "ap-southeast-1", "ap-northeast-2", "us-west-2", "eu-west-1"} <= regions
    assert (geo.go_template, geo.rolling_sync_steps, geo.non_string_values) == (True, 3, ())


def test_the_geographic_set_as_written_has_numbers_the_plain_engine_refuses() -> None:
    sets = {one.name: one for one in typed(documents("as-written")).application_sets}
    assert sets["triptrip-api-geo-rollout"].non_string_values == ((0, "phase"), (1, "phase"), (2, "phase"))


@pytest.mark.parametrize("name", sorted(path.name for path in (TRIPTRIP / "as-written").iterdir()))
def test_every_file_exists_in_every_variant(name: str) -> None:
    assert all((TRIPTRIP / variant / name).is_file() for variant in library.VARIANTS)
