"""The switch script on objects that a test changes by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.cluster.objects import Object
from harness.deploy.plan import Plan
from harness.makers import Maker
from harness.makers.script import ScriptMaker, Surroundings, merge_patch, port_of, vector_of
from scenarios.manifests.build.network import virtual_service
from sim.decide.script import Route
from sim.engine.script import patched
from sim.model.records import MeasurementRecord, StepRecord, Verdict
from sim.model.strategy import ScriptDefects, SwitchScript
from tests.engine import builders
from tests.engine.test_strategies import SCRIPT, color_manifests
from tests.harness import stage as on
from tests.harness.stage import SaidPrometheus, Stage

ONE = replace(
    SCRIPT, checks=2, interval_s=10.0, error_query="errors", latency_query="p99", idle_deployed_by=builders.constant(60)
)


def routes() -> Object:
    def to(color: str, **entry: int) -> Object:
        return {"destination": {"host": f"shop-{color}", "port": {"number": 80}}, **entry}

    def match(color: str) -> Object:
        return {"match": [{"headers": {"x-environment": {"exact": color}}}], "route": [to(color)]}

    http = [match("blue"), match("green"), {"route": [to("blue", weight=100), to("green", weight=0)]}]
    return {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {"name": "shop"},
        "spec": {"hosts": ["shop"], "http": http},
    }


class Switch:
    """A maker under test with what it stands on; the gateway follows the VirtualService at once."""

    def __init__(self, strategy: SwitchScript, *, green: bool = True, **answers: str) -> None:
        self.stage = Stage(builders.scenario(color_manifests(), strategy))
        self.prometheus = SaidPrometheus(**{"errors": "0.1", "p99": "300"} | answers)
        blue, idle = on.deployment("shop-blue"), on.deployment("shop-green")
        plan = Plan(idle if green else {}, on.template("candidate", {"app": "shop-green"}), (routes(), blue), ())
        self.objects = self.stage.objects
        self.maker = ScriptMaker(self.stage.site, plan, strategy, Surroundings(self.prometheus, self.weights))
        for obj in (*plan.others, *([idle] if green else [])):
            applied = self.objects.apply(obj)
            if applied["kind"] == "Deployment":
                on.complete(applied)

    def weights(self) -> tuple[float, float]:
        default = self.objects.watch("VirtualService").objects["shop"]["spec"]["http"][2]["route"][0]
        return (100.0, 0.0) if default["destination"]["host"] == "shop-green" else (0.0, 100.0)

    def pass_s(self, seconds: float) -> None:
        self.stage.recorder.now_s += seconds
        self.maker.poll()

    @property
    def ended(self) -> bool:
        return self.maker.outcome is not None

    def deploy(self) -> None:
        """Sixty seconds later people have deployed green."""
        self.maker.release()
        self.pass_s(60.0)
        on.complete(self.objects.watch("Deployment").objects["shop-green"])
        self.maker.poll()


def test_it_deploys_validates_switches_checks_and_reports_success() -> None:
    switch = Switch(ONE)
    switch.maker.release()
    switch.pass_s(59.0)
    assert switch.stage.objects.watch("Deployment").objects["shop-green"]["metadata"]["generation"] == 1
    switch.pass_s(1.0)
    assert switch.weights() == (0.0, 100.0)
    on.complete(switch.objects.watch("Deployment").objects["shop-green"])
    switch.maker.poll()
    assert switch.weights() == (100.0, 0.0)
    switch.pass_s(10.0)
    assert not switch.ended
    switch.pass_s(10.0)
    outcome = switch.maker.outcome
    assert outcome is not None
    assert (outcome.verdict, outcome.ended_s, outcome.served_all) == (Verdict.PROMOTED, 80.0, True)
    assert outcome.reason == "the script reported success; green serves all traffic"
    assert switch.stage.decisions == [("person", "start"), ("script", "switch"), ("script", "promote")]
    steps = [(row.index, row.state) for row in switch.stage.rows(StepRecord)]
    assert steps == [(0, "started"), (0, "completed"), (1, "started"), (1, "completed")]
    assert len(switch.stage.rows(MeasurementRecord)) == 4


def test_a_failing_check_switches_back() -> None:
    switch = Switch(ONE, errors="7.5")
    switch.deploy()
    assert switch.weights() == (0.0, 100.0)
    outcome = switch.maker.outcome
    assert outcome is not None
    assert (outcome.verdict, outcome.reason) == (Verdict.ABORTED, "check 1: error rate too high: 7.5")
    assert [row.phase for row in switch.stage.rows(MeasurementRecord)] == ["Failed", "Successful"]


@pytest.mark.parametrize("answer", ["down", "", "NaN"], ids=["nobody-answers", "no-series", "not-a-number"])
def test_what_it_cannot_read_passes_as_written_and_fails_without_the_defect(answer: str) -> None:
    written = Switch(ONE, errors=answer)
    written.deploy()
    assert written.maker.outcome is None
    corrected = Switch(replace(ONE, defects=ScriptDefects(no_data_passes=False)), errors=answer)
    corrected.deploy()
    assert corrected.maker.outcome is not None
    assert corrected.maker.outcome.verdict is Verdict.ABORTED


def test_a_missing_green_passes_as_written_and_is_refused_without_the_defect() -> None:
    written = Switch(ONE, green=False)
    written.maker.release()
    written.pass_s(60.0)
    assert written.weights() == (100.0, 0.0)
    corrected = Switch(replace(ONE, defects=ScriptDefects(missing_target_is_healthy=False)), green=False)
    corrected.maker.release()
    corrected.pass_s(60.0)
    assert corrected.weights() == (0.0, 100.0)
    assert corrected.maker.outcome is not None
    assert corrected.maker.outcome.reason == "there is no target to switch to: no pods are wanted"


def test_an_idle_colour_that_is_not_ready_is_refused() -> None:
    switch = Switch(ONE)
    switch.maker.release()
    switch.pass_s(60.0)
    on.expire(switch.objects.watch("Deployment").objects["shop-green"], "12:00")
    switch.maker.poll()
    assert switch.maker.outcome is not None
    assert switch.maker.outcome.reason == "not ready: 1/3"


def test_a_person_who_stops_it_sends_the_traffic_back() -> None:
    switch = Switch(ONE)
    switch.deploy()
    switch.maker.abort("p99 above 2s for 3m")
    switch.maker.poll()
    assert switch.weights() == (0.0, 100.0)
    assert switch.maker.outcome is not None
    assert switch.maker.outcome.reason == "aborted by a person: p99 above 2s for 3m"
    assert switch.stage.decisions[-2:] == [("person", "abort"), ("person", "switch-back")]


def test_a_late_rollback_toggles_to_the_release_again() -> None:
    switch = Switch(ONE, errors="7.5")
    switch.deploy()
    switch.maker.arrive_late("clients' error ratio above 5 %")
    switch.maker.poll()
    assert switch.weights() == (100.0, 0.0)
    assert switch.maker.outcome is not None
    assert switch.maker.outcome.verdict is Verdict.PROMOTED
    assert switch.maker.outcome.reported == "a person's rollback toggled the traffic back to the release"


def test_an_undo_runs_the_rollback() -> None:
    switch = Switch(replace(ONE, checks=0))
    switch.deploy()
    switch.maker.undo("users complain")
    switch.maker.poll()
    assert switch.weights() == (0.0, 100.0)
    assert not switch.maker.going_back
    assert switch.maker.outcome is not None
    assert switch.maker.outcome.verdict is Verdict.UNDONE


def test_the_merge_patch_is_what_the_twin_makes_of_the_virtual_service() -> None:
    written, route = routes(), Route("green", "blue")
    after = {**written, "spec": {**written["spec"], **merge_patch(SCRIPT, route, None)["spec"]}}
    before = virtual_service(written, "shop", "default")
    assert virtual_service(after, "shop", "default") == patched(before, SCRIPT, route)


def test_the_patch_repeats_the_port() -> None:
    assert port_of(routes()) == 80
    entry = merge_patch(SCRIPT, Route("green", "blue"), 80)["spec"]["http"][2]["route"][0]
    assert entry == {"destination": {"host": "shop-green", "port": {"number": 80}}, "weight": 100}


def test_a_scalar_has_no_first_series() -> None:
    assert vector_of({"resultType": "scalar", "result": [0, "1"]}) == []


def test_it_is_a_maker() -> None:
    held: Maker = Switch(ONE).maker
    assert held.trouble == ""
