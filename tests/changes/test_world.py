from __future__ import annotations

from dataclasses import replace

import pytest

from scenarios.changes.world import one_world, policy_changes, same_policy, world_changes
from sim.model.behaviour import Fault, People, Release, Slowdown, VersionBehaviour
from sim.model.load import LoadShape, Stage
from sim.model.manifests import ManifestSet, Refusal
from sim.model.scenario import Delivery, Scenario
from sim.model.strategy import ArgoRollout, RollingUpdate

STABLE = VersionBehaviour("v1")
GOOD = Release("good", good=True, share=1.0, behaviour=STABLE)
PLAIN = Scenario(
    "title", ArgoRollout("shop"), ManifestSet(), STABLE, GOOD, (GOOD,), load=LoadShape((Stage(60.0, 5.0),))
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"load": LoadShape((Stage(60.0, 9.0),))}, [("traffic.stages[0].rate", "5", "9")], id="traffic"),
        pytest.param(
            {"load": LoadShape((Stage(60.0, 5.0), Stage(60.0, 9.0)))},
            [("traffic.stages", "[{duration: 1m, rate: 5, ramp: false}]",
              "[{duration: 1m, rate: 5, ramp: false}, {duration: 1m, rate: 9, ramp: false}]")],
            id="more-stages",
        ),
        pytest.param({"people": People(approve=None)},
                     [("people.approve", "{median: 5m, shape: lognormal, sigma: 0.5}", "none")], id="people"),
        pytest.param({"faults": (Fault("slow", Slowdown(2.0)),)},
                     [("faults[slow]", "none", "{name: slow, kind: slowdown, factor: 2, add: 0s}")], id="a-fault"),
        pytest.param({"mix": (replace(GOOD, share=0.5),)}, [("releases[good].share", "100%", "50%")], id="a-share"),
        pytest.param({"stable": replace(STABLE, concurrency=3)}, [("stable.concurrency", "8", "3")], id="stable"),
        pytest.param({"warm_up_s": 60.0}, [("warm_up", "2m", "1m")], id="warm-up"),
        pytest.param({"seed": 9, "title": "x", "name": "x", "variant": "x", "description": "x"}, [], id="names-and-seed"),
        pytest.param({"strategy": RollingUpdate("shop"), "delivery": Delivery(git_poll_s=1.0)}, [], id="policy"),
    ],
)  # fmt: skip
def test_in_what_two_worlds_differ(change: dict[str, object], expected: list[tuple[str, str, str]]) -> None:
    other = replace(PLAIN, **change)  # type: ignore[arg-type]  # fields by name
    assert [(item.path, item.old, item.new) for item in world_changes(PLAIN, other)] == expected


def test_a_scenario_s_own_part_of_the_policy() -> None:
    other = replace(PLAIN, strategy=RollingUpdate("shop"), delivery=Delivery(git_poll_s=10.0))
    assert [(item.path, item.old, item.new) for item in policy_changes(PLAIN, other)] == [
        ("strategy", "{kind: argo-rollout, rollout: shop}", "{kind: rolling-update, deployment: shop}"),
        ("delivery.git_poll", "3m", "10s"),
    ]


@pytest.mark.parametrize("which", ["old", "new"])
def test_one_world_for_both_leaves_the_policies_alone(which: str) -> None:
    old = replace(PLAIN, delivery=Delivery(git_poll_s=1.0))
    new = replace(PLAIN, load=LoadShape((Stage(60.0, 9.0),)), slo=0.5, stable=replace(STABLE, concurrency=3))
    one, other = one_world(old, new, which)
    assert world_changes(one, other) == ()
    assert (one.delivery, other.delivery) == (old.delivery, new.delivery)
    assert one.slo == (old if which == "old" else new).slo


def test_names_and_places_do_not_make_a_policy() -> None:
    refused = ManifestSet(refusals=(Refusal("Rollout", "shop", "no", "a.yaml", 3),))
    moved = ManifestSet(refusals=(Refusal("Rollout", "shop", "no", "b.yaml", 4),))
    assert same_policy(replace(PLAIN, manifests=refused), replace(PLAIN, title="x", seed=3, manifests=moved))
    assert not same_policy(PLAIN, replace(PLAIN, manifests=refused))
