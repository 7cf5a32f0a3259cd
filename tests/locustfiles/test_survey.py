"""Locust files are read as Locust would run them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pytest

from scenarios.document import load
from scenarios.findings import BadInput
from scenarios.locustfiles.asking import Question, Survey, SurveyError, UserClass, ask
from sim.model.behaviour import Delay, Shape
from sim.model.load import LoadShape
from tests.document.test_broken import DEPLOYMENT, HEAD

pytestmark = [
    pytest.mark.skipif(find_spec("locust") is None, reason="Locust is not installed (extra: cluster)"),
    pytest.mark.slow,
]

USERS = """
    import random
    import time
    import gevent
    import locust
    from locust import (
        FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, between, constant, constant_pacing, constant_throughput,
        events, tag, task,
    )

    @events.init_command_line_parser.add_listener
    def arguments(parser):
        parser.add_argument("--shop", default="main")

    class Constant(HttpUser):
        wait_time = constant(0.9)

        def on_start(self):
            self.client.post("/login", json={"user": "ann"})
            time.sleep(30)

        @task
        def root(self):
            self.client.get("/", headers={"X-Tier": "gold"})

    class Between(FastHttpUser):
        weight = 3
        wait_time = between(1, 3)

        @task(3)
        def listed(self):
            self.client.get("/items", params={"q": 1}, headers={"X-Tier": "free"})

        @task(1)
        def bought(self):
            with self.client.post("/buy", json={}, catch_response=True) as answer:
                if answer.json()["order"]["id"] is None:
                    answer.failure("no order")

    class Paced(HttpUser):
        wait_time = constant_pacing(2)

        @task
        def two(self):
            self.client.get("/a", name="first")
            gevent.sleep(0.5)
            self.client.get(f"/b/{random.randint(1, 10**9)}")

    class Busy(HttpUser):
        wait_time = constant_throughput(100)

        @task
        def root(self):
            self.client.get("/")

    class Custom(HttpUser):
        wait_time = lambda self: random.expovariate(2)

        @task
        class Browsing(TaskSet):
            wait_time = constant(0.4)

            @task(9)
            def look(self):
                self.client.get("/look/" + self.user.environment.parsed_options.shop)

            @task(1)
            def leave(self):
                self.interrupt()

    class Fixed(HttpUser):
        fixed_count = 2
        wait_time = constant(0.4)

        @task
        class Journey(SequentialTaskSet):
            @task
            def one(self):
                self.client.get("/one")

            @task
            def two(self):
                self.client.get("/two")

    class Tagged(HttpUser):
        wait_time = constant(0.9)

        @tag("write")
        @task
        def write(self):
            self.client.put("/write")

        @task
        def read(self):
            self.client.get("/read")

    class Failing(HttpUser):
        wait_time = constant(0.9)

        @task
        def look(self):
            self.client.get("/before")
            raise LookupError("nothing there")

    class Other(locust.User):
        wait_time = constant(1)

        @task
        def idle(self):
            pass

    class Short(HttpUser):
        wait_time = constant(0.9)

        @task
        def once(self):
            self.client.get("/once")
            raise locust.exception.StopUser
"""


def written(folder: Path, text: str, name: str = "locustfile.py") -> Path:
    file = folder / name
    file.write_text(dedent(text), encoding="utf-8")
    return file


def question(file: Path, **changes: object) -> Question:
    plain: dict[str, object] = {
        "users": 100,
        "spawn_rate": 10.0,
        "run_time_s": None,
        "host": "",
        "tags": (),
        "exclude_tags": (),
        "until_s": 600.0,
        "latency": Delay(0.1, Shape.CONSTANT),
    }
    return Question(file, **(plain | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    file = written(tmp_path_factory.mktemp("users"), USERS)
    return ask(question(file, exclude_tags=("write",), run_time_s=300.0))


def shares(found: UserClass) -> dict[tuple[str, str], float]:
    return {(kind.method, kind.path): kind.number / found.requests for kind in found.kinds}


@pytest.mark.parametrize(
    ("name", "rate_rps"),
    [
        ("Constant", 1.0),
        ("Between", 1 / 2.1),
        ("Paced", 1.0),
        # Pacing cannot be kept where answers take longer: ten answers a second are what one user gets.
        ("Busy", 10.0),
        # Nine looks on average with 0.5 s each, then an interruption that costs nothing.
        ("Custom", 2.0),
        ("Fixed", 2.0),
        ("Tagged", 1.0),
        ("Failing", 1.0),
        ("Other", 0.0),
        # Its waits never come to be: it stops with its first request.
        ("Short", 10.0),
    ],
)
def test_rate_of_one_user(survey: Survey, name: str, rate_rps: float) -> None:
    assert survey.classes[name].rate_rps == pytest.approx(rate_rps, rel=0.05)


def test_what_is_asked_for(survey: Survey) -> None:
    assert shares(survey.classes["Constant"]) == {("GET", "/"): 1.0}
    between = shares(survey.classes["Between"])
    assert between[("GET", "/items?q=1")] == pytest.approx(0.75, abs=0.08)
    assert between.keys() == {("GET", "/items?q=1"), ("POST", "/buy")}
    assert shares(survey.classes["Custom"]) == {("GET", "/look/main"): 1.0}
    assert shares(survey.classes["Fixed"]) == pytest.approx({("GET", "/one"): 0.5, ("GET", "/two"): 0.5}, abs=0.01)
    assert shares(survey.classes["Tagged"]) == {("GET", "/read"): 1.0}


def test_names_and_own_headers_are_kept(survey: Survey) -> None:
    assert {kind.headers for kind in survey.classes["Constant"].kinds} == {(("x-tier", "gold"),)}
    assert {kind.headers for kind in survey.classes["Between"].kinds} == {(), (("x-tier", "free"),)}
    assert {kind.name for kind in survey.classes["Paced"].kinds if kind.path == "/a"} == {"first"}


def test_what_a_task_could_not_do_is_kept(survey: Survey) -> None:
    lines = dedent(USERS).splitlines()
    ((line, message),) = survey.classes["Failing"].problems
    assert (lines[line - 1].strip(), message) == ('raise LookupError("nothing there")', "LookupError: nothing there")
    assert survey.classes["Short"].stops
    assert not survey.classes["Constant"].stops


def test_locusts_own_dispatcher_counts_the_users(survey: Survey) -> None:
    seconds = [at_s for at_s, _ in survey.users]
    last = survey.users[-1][1]
    assert seconds == [float(k) for k in range(10)]
    assert (sum(last.values()), last["Fixed"]) == (100, 2)
    assert last["Constant"] == pytest.approx(98 / 11, abs=1)
    assert last["Between"] == pytest.approx(3 * 98 / 11, abs=1)
    assert (survey.ramped_s, survey.ended_s) == (9.0, 300.0)


def test_the_same_file_is_the_same_survey(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        import time, random
        from locust import HttpUser, between, task
        class U(HttpUser):
            wait_time = between(1, 9)
            @task
            def root(self):
                self.client.get(f"/{int(time.time())}/{random.random()}")
        """,
    )
    first = ask(question(file))
    os.utime(file, ns=(1, 1))  # what is remembered holds for the file as it was
    assert ask(question(file)) == first


SHAPES = """
    from locust import FastHttpUser, LoadTestShape, constant, task

    class A(FastHttpUser):
        wait_time = constant(0.9)
        @task
        def root(self):
            self.client.get("/")

    class B(A):
        pass

    class Shape(LoadTestShape):
        def __init__(self):
            super().__init__()
            self.full_s = None

        def tick(self):
            if self.full_s is None:
                if self.get_current_user_count() == 10:
                    self.full_s = self.get_run_time()
                return 10, 2.5, [A]
            return (4, 100) if self.get_run_time() < self.full_s + 30 else None
"""


def test_a_shape_sees_the_time_and_the_users_it_made(tmp_path: Path) -> None:
    found = ask(question(written(tmp_path, SHAPES), users=None, spawn_rate=None))
    counts = [(at_s, sum(users.values())) for at_s, users in found.users]
    # 2.5 users a second: two at a time, every 0.8 s.
    assert counts == [(0.0, 2), (0.8, 4), (1.6, 6), (pytest.approx(2.4), 8), (pytest.approx(3.2), 10), (5.0, 4)]
    assert all(users["B"] == 0 for _, users in found.users)
    assert found.ended_s == 34.0


ON_START = """from locust import HttpUser, task

class U(HttpUser):
    def on_start(self):
        self.nothing()
    @task
    def t(self):
        pass
"""
TICK = """from locust import HttpUser, LoadTestShape, task
class U(HttpUser):
    @task
    def t(self):
        pass
class S(LoadTestShape):
    def tick(self):
        return 1 / 0
"""


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("import os\nfrom locust import (\n", 2, "SyntaxError"),
        ("import os\n\nimport no_such_module_anywhere\n", 3, "ModuleNotFoundError"),
        ("import sys\nsys.exit(4)\n", 2, "exit code 4"),
        ("x = 1\n", 0, "no class of users"),
        (ON_START, 5, "AttributeError"),
        (TICK, 8, "S.tick: ZeroDivisionError"),
        ("import os\nos._exit(7)\n", 0, "exit code 7"),
    ],
    ids=["syntax", "import", "exit", "no-users", "on-start", "tick", "killed"],
)
def test_a_broken_file_is_reported_at_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(SurveyError, match=message) as caught:
        ask(question(written(tmp_path, text)))
    assert caught.value.line == line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    (tmp_path / "load").mkdir()
    written(tmp_path / "load", SHAPES)
    return tmp_path


def scenario(folder: Path, traffic: str) -> Path:
    file = folder / "scenario.yaml"
    file.write_text(f"{HEAD}\ntraffic: {traffic}\n", encoding="utf-8")
    return file


def test_a_scenario_is_driven_by_its_locust_file(folder: Path) -> None:
    loaded = load(
        scenario(folder, "{locustfile: load/locustfile.py, at_end: hold}"),
        ["stable.latency={median: 100ms, shape: constant}"],
    )
    traffic = loaded.scenario.load
    assert type(traffic) is LoadShape
    assert [traffic.rate_rps(t) for t in (0.0, 1.5, 2.0, 5000.0)] == pytest.approx([10.0, 10.0, 4.0, 4.0], rel=1e-3)
    assert loaded.notes == ()


def test_a_broken_locust_file_is_bad_input_beside_everything_else(folder: Path) -> None:
    written(folder / "load", "import os\nos.nothing\n")
    with pytest.raises(BadInput) as caught:
        load(scenario(folder, "{locustfile: load/locustfile.py}\nslo: 7"))
    first, second = caught.value.findings
    assert (first.file, first.line) == (str(folder / "load" / "locustfile.py"), 2)
    assert "AttributeError" in first.message
    assert second.message.startswith("slo")


def test_a_locust_file_that_is_not_there_is_bad_input_where_it_is_named(folder: Path) -> None:
    with pytest.raises(BadInput, match="no such file") as caught:
        load(scenario(folder, "{locustfile: load/other.py}"))
    assert caught.value.findings[0].file == str(folder / "scenario.yaml")
