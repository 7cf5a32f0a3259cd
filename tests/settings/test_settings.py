from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

from scenarios import library
from scenarios.document import Loaded, from_manifests, load
from scenarios.findings import BadInput, path_text
from scenarios.settings import Editor, bind, default_parameters, patch, read_parameters, with_settings
from sim.model.rollout import Pause

FOLDER = Path(__file__).parent / "manifests"


@lru_cache(maxsize=1)
def app() -> Loaded:
    return from_manifests([FOLDER / "app.yaml"])


def edited(loaded: Loaded, *settings: str) -> tuple[list[str], list[str]]:
    """Lines that a patch takes away and adds."""
    made = {item: item.values.at(0) for item in read_parameters(settings)}
    lines = [line for line in patch(loaded, made).text.splitlines() if not line.startswith(("---", "+++"))]
    return tuple([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("name", "path", "current"),
    [
        ("canary.steps[0].setWeight=1..20", "spec.strategy.canary.steps[0].setWeight", "5"),
        ("canary.steps[1].pause=1m..10m", "spec.strategy.canary.steps[1].pause.duration", "2m"),
        ("canary.steps[0].pause=1m..10m", "spec.strategy.canary.steps[1].pause.duration", "2m"),
        ("steps[4].pause=1m..10m", "spec.strategy.canary.steps[4].pause.duration", "90"),
        ("spec.replicas=2..8", "spec.replicas", "4"),
        ("Rollout/app:canary.maxSurge=10%..50%", "spec.strategy.canary.maxSurge", "25%"),
        ("canary.steps[2].analysis.args[limit]=0.01..0.1", "spec.strategy.canary.steps[2].analysis.args[0].value", "0.05"),
        ("analysis.error-rate.failureLimit=0..3", "spec.metrics[0].failureLimit", "1"),
        ("errors.v2.metrics[0].interval=10s..2m", "spec.metrics[0].interval", "1m"),
        ("AnalysisTemplate/errors.v2:metrics[steady].count=1..9", "spec.metrics[1].count", "3"),
        ("slow.metrics[p99].failureCondition=0.1..1", "spec.metrics[0].failureCondition", "0.5"),
        ("slow.metrics[p99].query=1m..5m", "spec.metrics[0].provider.prometheus.query", "2m"),
        ("slow.metrics[p99].query=0.9..0.999", "spec.metrics[0].provider.prometheus.query", "0.99"),
        ("errors.v2.metrics[steady].successCondition[1]=1..3", "spec.metrics[1].successCondition", "2"),
        ("errors.v2.metrics[steady].query[1]=5m..20m", "spec.metrics[1].provider.prometheus.query", "10m"),
        ("canary.scaleDownDelaySeconds=10..60", "spec.strategy.canary.scaleDownDelaySeconds", ""),
        ("traffic.stages[0].rate=10,20", "traffic.stages[0].rate", ""),
    ],
)  # fmt: skip
def test_names_find_their_values(name: str, path: str, current: str) -> None:
    (bound,) = bind(app(), read_parameters([name]))
    assert (path_text(bound.target.path), bound.target.current) == (path, current)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("canary.stepz[0].pause=1m,2m", "did you mean canary.steps"),
        ("canary.steps[9].pause=1m,2m", r"steps\[9\] does not exist: .* \[4\] pause"),
        ("nothing=1,2", "there is nothing of that name"),
        ("canary=1,2", "holds maxSurge, steps"),
        ("canary..steps=1,2", "no path such as"),
        ("errors.v2.metrics[steady].successCondition=1..3", r"\[0\] is 0.1, \[1\] is 2 \(write .*successCondition\[0\]\)"),
        ("errors.v2.metrics[error-rate].successCondition=1..3", "holds these numbers: none"),
        ("traffic.stagez=1,2", "did you mean 'stages'"),
        ("canary.steps[3].pausee=1,2", r"canary.steps\[3\] of Rollout app holds setWeight"),
    ],
)  # fmt: skip
def test_names_of_nothing_are_refused_with_what_there_is(name: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        bind(app(), read_parameters([name]))


def test_all_wrong_names_and_the_same_value_twice_are_said_at_once() -> None:
    names = ["a=1,2", "b=1,2", "canary.steps[0].pause=1m,2m", "canary.steps[1].pause=1m,2m"]
    with pytest.raises(BadInput) as error:
        bind(app(), read_parameters(names))
    assert len(error.value.findings) == 3


def test_a_scenario_with_settings_is_the_one_that_the_patched_files_make(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "app.yaml", tmp_path)
    loaded = from_manifests([tmp_path / "app.yaml"])
    names = [
        "canary.steps[1].pause=45s",
        "slow.metrics[p99].query=1m..5m",
        "slow.metrics[p99].failureLimit=2",
        "canary.steps[3]=drop",
    ]
    made = {item: item.values.at(0) for item in read_parameters(names)}
    expected, written = with_settings(loaded, made), patch(loaded, made)
    for command in (
        ["git", "apply", "--unsafe-paths", "--directory", str(written.root), "--check", "-"],
        ["patch", "-p1", "-d", str(written.root)],
    ):
        if shutil.which(command[0]):
            subprocess.run(command, input=written.text, text=True, check=True, capture_output=True, cwd=written.root)
    if not shutil.which("patch"):
        pytest.skip("no patch here")
    patched = from_manifests([tmp_path / "app.yaml"])
    assert patched.hash == expected.hash != loaded.hash
    steps = patched.scenario.manifests.rollouts[0].canary
    assert steps is not None
    assert steps.steps[1].pause == Pause("45s")
    assert [step.set_weight for step in steps.steps] == [5, None, None, None]


@pytest.mark.parametrize(
    ("setting", "before", "after"),
    [
        ("replicas=6", "  replicas:   4   # enough", "  replicas:   6   # enough"),
        ("canary.maxSurge=30%", '      maxSurge: "25%"      # quoted', '      maxSurge: "30%"      # quoted'),
        ("canary.steps[1].pause=45s", "        - pause: {duration: 2m}", "        - pause: {duration: 45s}"),
        ("canary.steps[4].pause=30", "            duration: 90   # seconds", "            duration: 30   # seconds"),
        ("canary.steps[2].analysis.args[limit]=0.01", "                value: '0.05'", "                value: '0.01'"),
        ("errors.v2.metrics[steady].successCondition[1]=3", '      successCondition: "result[0] >= 0.1 && result[0] <= 2"',
         '      successCondition: "result[0] >= 0.1 && result[0] <= 3"'),
        ("slow.metrics[p99].failureCondition=75%", "      failureCondition: result[0] > 0.5", "      failureCondition: result[0] > 0.75"),
    ],
)  # fmt: skip
def test_a_patch_touches_the_value_and_nothing_else(setting: str, before: str, after: str) -> None:
    assert edited(app(), setting) == ([before], [after])


def test_both_windows_of_a_ratio_change_together() -> None:
    gone, new = edited(app(), "errors.v2.metrics[error-rate].query=2m")
    assert [line.replace("5m", "2m") for line in gone] == new
    assert len(new) == 2


def test_a_key_that_is_not_written_is_added_in_the_style_of_its_neighbours() -> None:
    assert edited(app(), "slow.metrics[p99].failureLimit=2") == ([], ["      failureLimit: 2"])


def test_an_item_is_dropped_with_its_lines_and_comments_stay() -> None:
    gone, new = edited(app(), "canary.steps[2]=drop")
    assert (gone[0], gone[-1], new) == ("        - analysis:", "                value: '0.05'", [])
    assert edited(app(), "canary.steps[2]=keep") == ([], [])


def test_a_value_that_an_anchor_shares_is_refused() -> None:
    (parameter,) = read_parameters(["errors.v2.metrics[error-rate].interval=10s"])
    with pytest.raises(BadInput, match="an anchor shares the value"):
        with_settings(app(), {parameter: "10s"})


def test_what_the_controller_refuses_is_seen_in_the_scenario_read_again() -> None:
    (parameter,) = read_parameters(["canary.steps[0].setWeight=500"])
    rollout = with_settings(app(), {parameter: "500"}).scenario.manifests.rollouts[0]
    assert rollout.canary is not None
    assert rollout.canary.steps[0].set_weight == 500


def test_the_chosen_release_stays_chosen() -> None:
    (parameter,) = read_parameters(["replicas=6"])
    assert with_settings(app().with_release("slow"), {parameter: "6"}).scenario.release.name == "slow"


@pytest.mark.parametrize("ending", ["\r\n", "\n"], ids=["DOS", "Unix"])
def test_line_ends_a_byte_order_mark_and_a_missing_last_line_end_stay(tmp_path: Path, ending: str) -> None:
    text = (FOLDER / "app.yaml").read_text(encoding="utf-8").replace("\n", ending).rstrip()
    file = tmp_path / "größe 1.yaml"
    file.write_bytes("\ufeff".encode() + text.encode())
    loaded = from_manifests([file])
    names = read_parameters(["replicas=6", "slow.metrics[p99].query=1m", "slow.metrics[p99].failureLimit=2"])
    made = {item: item.values.at(0) for item in names}
    expected, found = with_settings(loaded, made), patch(loaded, made)
    if not shutil.which("patch"):
        pytest.skip("no patch here")
    command = ["patch", "-p1", "--binary", "-d", str(found.root)]
    subprocess.run(command, input=found.text.encode(), check=True, capture_output=True)
    after = file.read_bytes().decode()
    assert after.replace("failureLimit: 2" + ending, "", 1).count(ending) == text.count(ending)
    assert ("\n" in after.replace(ending, "")) is False
    assert from_manifests([file]).hash == expected.hash


def test_every_default_parameter_of_the_playbook_has_a_place_and_a_range() -> None:
    loaded = load(library.playbook("canary", "repaired"))
    parameters = default_parameters(loaded)
    assert len(bind(loaded, parameters)) == len(parameters) == 25
    names = [item.name for item in parameters]
    assert names[:2] == ["canary.steps[0].setWeight", "canary.steps[1].pause"]
    assert "canary-success-rate.metrics[success-rate].successCondition" in names


def test_a_scenarios_own_keys_are_patched_where_they_are_written() -> None:
    loaded = load(library.playbook("canary", "repaired"))
    (rate, burst) = read_parameters(["traffic.stages[0].rate=500", "client.timeout=2s"])
    found = patch(loaded, {rate: "500", burst: "2s"})
    assert "+    - {duration: 1h, rate: 500}" in found.text.splitlines()
    assert with_settings(loaded, {rate: "500"}).scenario.load.stages[0].rate_rps == 500
    (tail,) = read_parameters(["telemetry.sample_interval=5s"])
    assert patch(loaded, {tail: "5s"}).unwritten == ("telemetry.sample_interval=5s",)


def test_a_file_that_changes_meanwhile_does_not_move_what_is_tried_and_is_not_patched(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    shutil.copy(FOLDER / "app.yaml", file)
    loaded = from_manifests([file])
    (parameter,) = read_parameters(["replicas=6"])
    editor = Editor(loaded, [parameter])
    before = editor.with_settings({parameter: "6"}).hash
    file.write_text("# new\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert editor.with_settings({parameter: "6"}).hash == before
    with pytest.raises(BadInput, match="has changed since it was read"):
        patch(loaded, {parameter: "6"}, editor)
