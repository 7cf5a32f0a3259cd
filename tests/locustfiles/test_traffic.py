"""What a survey found becomes stages and classes."""

from __future__ import annotations

from math import sin

import pytest

from scenarios.locustfiles.asking import Kind, Survey, SurveyError, UserClass
from scenarios.locustfiles.traffic import MOST_CLASSES, MOST_STEPS, AtEnd, traffic_of
from sim.model.load import LoadShape, Stage


def kind(number: int, path: str = "/", method: str = "GET", **more: str) -> Kind:
    headers = tuple((name, value) for name, value in more.items() if name not in {"name", "host"})
    return Kind(number, method, path, more.get("name", ""), headers, more.get("host", "localhost"))


def users(*kinds: Kind, rate_rps: float = 1.0) -> UserClass:
    return UserClass(sum(one.number for one in kinds) / rate_rps, kinds)


PLAIN = users(kind(100), rate_rps=2.0)
STEPS = Survey({"A": PLAIN}, ((0.0, {"A": 5}), (1.0, {"A": 10}), (60.0, {"A": 20})), ramped_s=1.0, ended_s=100.0)


def test_the_release_comes_once_the_first_users_are_there() -> None:
    assert traffic_of(STEPS, 1000.0, AtEnd.STOP).stages == (Stage(59.0, 20.0), Stage(40.0, 40.0), Stage(60.0, 0.0))


def test_the_release_comes_when_it_is_said_to() -> None:
    stages = traffic_of(STEPS, 1000.0, AtEnd.STOP, 0.0).stages
    assert stages == (Stage(1.0, 10.0), Stage(59.0, 20.0), Stage(40.0, 40.0), Stage(60.0, 0.0))
    assert traffic_of(STEPS, 1000.0, AtEnd.STOP, 80.0).stages == (Stage(20.0, 40.0), Stage(60.0, 0.0))
    assert traffic_of(STEPS, 1000.0, AtEnd.STOP, 500.0).stages == (Stage(60.0, 0.0),)


def test_users_may_stay_or_begin_again() -> None:
    assert traffic_of(STEPS, 1000.0, AtEnd.HOLD).stages[-1] == Stage(60.0, 40.0)
    again = LoadShape(traffic_of(STEPS, 1000.0, AtEnd.REPEAT).stages)
    assert [again.rate_rps(t) for t in (10.0, 90.0, 99.5, 110.0, 190.0, 510.0)] == [20.0, 40.0, 10.0, 20.0, 40.0, 20.0]


def test_the_end_of_traffic_is_said() -> None:
    assert traffic_of(STEPS, 1000.0, AtEnd.STOP).notes == (
        "Locust's run ends 99 s after the release is applied: nobody calls from then on (traffic.at_end)",
    )
    assert traffic_of(STEPS, 90.0, AtEnd.STOP).notes == ()


def test_many_steps_become_few_straight_pieces_near_them() -> None:
    def wave(t: int) -> int:
        return round(500 + 400 * sin(t / 100))

    survey = Survey({"A": PLAIN}, tuple((float(t), {"A": wave(t)}) for t in range(3000)))
    load = LoadShape(traffic_of(survey, 3000.0, AtEnd.STOP).stages)
    assert 10 < len(load.stages) < 3 * MOST_STEPS
    assert all(abs(load.rate_rps(float(t)) - 2 * wave(t)) <= 0.01 * 1800 + 1e-6 for t in range(3000))


def test_classes_are_weighted_by_the_users_there_are() -> None:
    buyers = users(kind(30, "/buy", "POST"), kind(10, "/cart"), rate_rps=4.0)
    survey = Survey({"A": PLAIN, "B": buyers}, ((0.0, {"A": 30, "B": 10}),))
    traffic = traffic_of(survey, 1000.0, AtEnd.STOP)
    assert {(one.method, one.path): one.share for one in traffic.classes} == {
        ("GET", "/"): pytest.approx(0.6),
        ("POST", "/buy"): pytest.approx(0.3),
        ("GET", "/cart"): pytest.approx(0.1),
    }
    assert sum(one.share for one in traffic.classes) == 1.0
    assert traffic.stages == (Stage(60.0, 100.0),)


def test_plain_requests_need_no_class() -> None:
    assert traffic_of(STEPS, 1000.0, AtEnd.STOP).classes == ()


def test_paths_that_differ_in_numbers_are_one_kind() -> None:
    kinds = [kind(1, f"/item/{k}?page={k}") for k in range(99)]
    (one,) = traffic_of(Survey({"A": users(*kinds)}, ((0.0, {"A": 1}),)), 10.0, AtEnd.STOP).classes
    assert (one.name, one.path, one.share) == ("GET /item/*?page=*", "/item/0?page=0", 1.0)


def test_locusts_name_groups_requests() -> None:
    kinds = [kind(1, f"/u/{word}", name="profile") for word in ("ann", "bob", "cid")]
    (one,) = traffic_of(Survey({"A": users(*kinds)}, ((0.0, {"A": 1}),)), 10.0, AtEnd.STOP).classes
    assert (one.name, one.path) == ("profile", "/u/ann")


def test_headers_of_few_values_tell_kinds_apart() -> None:
    kinds = [
        Kind(1, "GET", "/", "", (("x-request-id", str(k)), ("x-tier", "gold" if k % 4 == 0 else "free")), "")
        for k in range(100)
    ]
    classes = traffic_of(Survey({"A": users(*kinds)}, ((0.0, {"A": 1}),)), 10.0, AtEnd.STOP).classes
    assert [(one.headers, round(one.share, 6)) for one in classes] == [
        ((("x-tier", "gold"),), 0.25),
        ((("x-tier", "free"),), 0.75),
    ]


def test_a_host_counts_where_something_routes_it() -> None:
    survey = Survey({"A": users(kind(1, host="shop.example"), kind(1, host="localhost"))}, ((0.0, {"A": 1}),))
    assert traffic_of(survey, 10.0, AtEnd.STOP).classes == ()
    hosts = [one.host for one in traffic_of(survey, 10.0, AtEnd.STOP, hosts=["shop.example"]).classes]
    assert sorted(hosts) == ["", "shop.example"]


def test_the_rarest_of_very_many_kinds_are_plain_requests() -> None:
    kinds = [kind(k, f"/{'x' * k}") for k in range(1, MOST_CLASSES + 11)]
    traffic = traffic_of(Survey({"A": users(*kinds)}, ((0.0, {"A": 1}),)), 10.0, AtEnd.STOP)
    assert len(traffic.classes) == MOST_CLASSES
    assert sum(one.share for one in traffic.classes) == pytest.approx(1 - 55 / sum(range(61)))
    assert "of 60 kinds" in traffic.notes[0]


def test_what_tasks_could_not_do_is_said() -> None:
    found = UserClass(10.0, (kind(10),), problems=((7, "KeyError: 'id'"),), stops=True)
    silent = UserClass(10.0, ())
    notes = traffic_of(Survey({"A": found, "B": silent}, ((0.0, {"A": 1}),)), 10.0, AtEnd.STOP).notes
    assert ["KeyError: 'id' (line 7)" in notes[0], "go on" in notes[1], "B send no" in notes[2]] == [True] * 3


def test_a_file_without_requests_is_no_traffic() -> None:
    with pytest.raises(SurveyError, match="no HTTP requests"):
        traffic_of(Survey({"A": UserClass(10.0, ())}, ((0.0, {"A": 1}),)), 10.0, AtEnd.STOP)
