"""Waits end as soon as they can and say what they saw otherwise."""

from __future__ import annotations

import pytest

from harness.waiting import WaitError, wait_until


def test_the_first_true_value_is_returned() -> None:
    answers = iter([None, 0, "ready"])
    assert wait_until(lambda: next(answers), "something", 10, every_s=0) == "ready"


def test_a_wait_that_fails_says_what_was_seen() -> None:
    with pytest.raises(WaitError, match="stable pods: not within 0 s\n2 of 3 ready") as caught:
        wait_until(lambda: False, "stable pods", 0, lambda: "2 of 3 ready", every_s=0)
    assert caught.value.dump == "2 of 3 ready"


def test_the_predicate_is_asked_even_if_there_is_no_time() -> None:
    assert wait_until(lambda: True, "now", 0)
