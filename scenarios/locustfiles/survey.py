"""``python -m scenarios.locustfiles.survey REQUEST``: what the users of a Locust file do, as JSON on standard output.

Locust's own code runs its users and its dispatcher counts them, in virtual time and against stubs, so that wait times,
weights, nested and sequential task sets, pacing and shapes are what they are in Locust.
"""

from __future__ import annotations

# ruff: isort: on
import json
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

# ruff: isort: off - Locust must patch the interpreter before anything else is imported
import locust
from gevent import getcurrent
from locust import argument_parser, dispatch
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from scenarios.locustfiles.stubs import Enough, Kind, Watch, install, latency, quiet

_NO_HOST: Final = "http://localhost"
_REQUESTS: Final = 4000
"""Watched in all, so that rates are known to a hundredth or so."""
_LEAST: Final = 400
"""Of each class of users."""
_LIVES: Final = 200
"""Users of a class that are started anew, where they stop by themselves."""
_TICK_S: Final = 1.0


class FileProblem(Exception):  # noqa: N818 - it names what the user gave
    """What is wrong with the Locust file, and in which of its lines (0: none of them)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def main(text: str) -> int:
    """The exit code; everything that is known goes to standard output, errors of the file included."""
    asked, answer = json.loads(text), quiet()
    watch = Watch(latency(**asked["latency"]))
    install(watch)
    random.seed(1)
    try:
        found = _survey(asked, watch)
    except FileProblem as problem:
        found = {"error": {"message": str(problem), "line": problem.line}}
    json.dump(found, answer)
    answer.flush()
    return 0


def _survey(asked: dict[str, Any], watch: Watch) -> dict[str, Any]:
    users, shape = _load(asked["file"])
    options = _options(asked)
    environment = Environment(
        user_classes=list(users.values()),
        shape_class=shape,
        events=locust.events,
        host=asked["host"] or None,
        tags=asked["tags"] or None,
        exclude_tags=asked["exclude_tags"] or None,
        parsed_options=options,
        catch_exceptions=True,
    )
    if shape is None and not asked["users"]:
        message = "it has no LoadTestShape, so users must say how many users Locust is started with"
        raise FileProblem(message)
    runner: Any = SimpleNamespace(
        user_count=0, state="running", environment=environment, worker_index=0, quit=_stop, stop=_stop
    )
    environment.runner = runner
    events: Any = environment.events
    events.init.fire(environment=environment, runner=runner, web_ui=None)
    events.test_start.fire(environment=environment)
    events.spawning_complete.fire(user_count=asked["users"] or 1)
    environment._filter_tasks_by_tags()  # noqa: SLF001 - what Locust's runner does
    watch.enough = max(_LEAST, _REQUESTS // len(environment.user_classes))
    classes = {one.__name__: _watched(one, environment, watch, asked["file"]) for one in environment.user_classes}
    return {"classes": classes} | _counted(environment, runner, asked, watch)


def _load(file: str) -> tuple[dict[str, Any], Any]:
    """User classes by name, and the shape if there is one."""
    try:
        users, shapes = load_locustfile(file)
    except SystemExit as error:
        message = f"it ends the process (exit code {error.code})"
        raise FileProblem(message, _line_in(file, error)) from error
    except Exception as error:  # whatever a file may raise is its own mistake
        raise FileProblem(_words(error), _line_in(file, error)) from error
    if not users:
        message = "it has no class of users (a subclass of HttpUser or FastHttpUser that is not abstract)"
        raise FileProblem(message)
    if len(shapes) > 1:
        names = ", ".join(type(shape).__name__ for shape in shapes)
        message = f"it has {len(shapes)} load shapes ({names}); Locust runs one"
        raise FileProblem(message)
    return users, shapes[0] if shapes else None


def _options(asked: dict[str, Any]) -> Any:
    """Locust's options as on its command line, with the file's own arguments at their defaults."""
    # No config file and none of the caller's LOCUST_ variables: a scenario means the same everywhere.
    parser = argument_parser.get_parser(default_config_files=[])
    try:
        options = parser.parse_args(["-f", asked["file"], "--headless"])
    except SystemExit as error:
        message = "it wants arguments of its own on Locust's command line that have no default"
        raise FileProblem(message) from error
    options.num_users, options.spawn_rate = asked["users"] or None, asked["spawn_rate"]
    options.run_time, options.host = asked["run_time_s"], asked["host"] or None
    return options


def _watched(user_class: Any, environment: Environment, watch: Watch, file: str) -> dict[str, Any]:
    """What one user does, per second, once it has started."""
    problems: dict[str, int] = {}

    def on_error(exception: BaseException, **_: Any) -> None:
        problems.setdefault(_words(exception), _line_in(file, exception))

    user_error: Any = environment.events.user_error
    user_error.add_listener(on_error)
    user_class.host = environment.host or user_class.host or _NO_HOST
    spent_s, lives, stopped = 0.0, 0, True
    kinds = Counter[Kind]()
    while stopped and kinds.total() < _LEAST and lives < _LIVES:
        _live(user_class, environment, watch, file)
        spent_s += watch.now_s - watch.begun_s
        kinds += watch.asked
        stopped, lives = not watch.is_enough, lives + 1
    user_error.remove_listener(on_error)
    return {
        "requests": kinds.total(),
        "seconds": spent_s,
        "kinds": [[number, *kind] for kind, number in sorted(kinds.items())],
        "problems": [[line, message] for message, line in problems.items()],
        "stops": lives > 1,
    }


def _live(user_class: Any, environment: Environment, watch: Watch, file: str) -> None:
    """One user from its start until enough is known or it stops by itself."""
    watch.user = getcurrent()
    watch.begin()
    try:
        user = user_class(environment)
        start = user.on_start

        def on_start() -> None:
            start()
            watch.begin()

        user.on_start = on_start
        user.run()
    except Enough:
        return
    except Exception as error:  # of __init__ or on_start: no such user ever runs
        message = f"{user_class.__name__}: {_words(error)}"
        raise FileProblem(message, _line_in(file, error)) from error
    finally:
        watch.user = None


def _counted(environment: Environment, runner: Any, asked: dict[str, Any], watch: Watch) -> dict[str, Any]:
    """[second, users by class] whenever that changes; when the first are all there; when Locust would stop (or None)."""
    shape = environment.shape_class or _Common(asked)
    shape.runner = runner
    steps = Steps(environment.user_classes)
    counts: list[list[Any]] = []
    watch.now_s = 0.0
    shape.reset_time()
    for t_s, tick in _ticks(shape, asked, watch):
        if tick is None:
            return {"users": counts, "ramped_s": steps.ramped_s or 0.0, "ended_s": t_s}
        for at_s, users in steps.until_next(t_s, tick):
            runner.user_count = sum(users.values())
            counts.append([at_s, users])
    return {"users": counts, "ramped_s": steps.ramped_s or 0.0, "ended_s": None}


def _ticks(shape: Any, asked: dict[str, Any], watch: Watch) -> Iterator[tuple[float, Any]]:
    """The shape's answers, second by second."""
    for second in range(int(asked["until_s"]) + 1):
        watch.now_s = second * _TICK_S
        try:
            tick = shape.tick()
        except Exception as error:
            message = f"{type(shape).__name__}.tick: {_words(error)}"
            raise FileProblem(message, _line_in(asked["file"], error)) from error
        yield watch.now_s, tick
        if tick is None:
            return


class Steps:
    """Locust's dispatcher, second by second: it adds and removes users at the spawn rate, by weight and fixed count."""

    def __init__(self, user_classes: list[Any]) -> None:
        # Its pauses are made here, between two ticks of the shape.
        dispatch.gevent = SimpleNamespace(sleep=lambda _: None)  # type: ignore[attr-defined]
        node: Any = SimpleNamespace(id="local")
        self._dispatcher = UsersDispatcher([node], user_classes)
        self._tick: Any = None
        self._due_s: float | None = None
        self._every_s = 0.0
        self.ramped_s: float | None = None
        """When the first number of users asked for was there."""

    def until_next(self, t_s: float, tick: Any) -> Iterator[tuple[float, dict[str, int]]]:
        """(second, users by class) of every step until the next tick."""
        if tick != self._tick:
            self._begin(t_s, tick)
        while self._due_s is not None and self._due_s < t_s + _TICK_S:
            step = next(self._dispatcher, None)
            if step is None:
                self._due_s = None
                return
            if self.ramped_s is None and sum(step["local"].values()) >= self._tick[0]:
                self.ramped_s = self._due_s
            yield self._due_s, dict(step["local"])
            self._due_s += self._every_s

    def _begin(self, t_s: float, tick: Any) -> None:
        try:
            number, rate, *classes = tick
            self._dispatcher.new_dispatch(int(number), rate, classes[0] if classes else None)
        except (TypeError, ValueError) as error:
            message = f"tick must return (users, spawn rate) or None, not {tick!r} ({error})"
            raise FileProblem(message) from error
        self._tick, self._due_s, self._every_s = tick, t_s, max(1, int(rate)) / rate


class _Common:
    """What Locust does without a shape: so many users, spawned at a rate, for a time."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._tick = (asked["users"], asked["spawn_rate"] or 1.0)
        self._run_time_s = asked["run_time_s"]
        self.runner: Any = None

    def reset_time(self) -> None:
        """Time is the survey's."""

    def tick(self) -> tuple[int, float] | None:
        """See ``LoadTestShape.tick``."""
        over = self._run_time_s is not None and time.perf_counter() >= self._run_time_s
        return None if over else self._tick


def _stop(*_: Any) -> None:
    """The file ends its own run."""
    raise Enough


def _words(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _line_in(file: str, error: BaseException) -> int:
    """The last line of the file that has to do with the error; 0 if none has."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == Path(file):
        return error.lineno or 0
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if Path(frame.filename) == Path(file)), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
