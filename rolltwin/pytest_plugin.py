"""pytest: claims about rollouts, decided in the twin; and a real cluster for tests of them, told by given, when, then.

    def test_bad_versions_are_stopped(rolltwin):
        rolltwin.release("errors-5").on("k8s/").at_rps(1000).is_aborted_within("6m", in_at_least=0.99)

    pytest --kind                        # on a kind cluster of this run's own
    pytest --cluster-context=team-a      # on a context of your kubeconfig, named outright

Tests marked ``cluster`` are skipped without either. Nothing is imported until a test asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.cluster.cluster import Cluster
    from harness.cluster.objects import Objects
    from harness.images import Images
    from harness.steps import Given, Story, Then, When
    from rolltwin.asking import Rolltwin


MARKER = "cluster"
ROLLOUT = "rollout"
_OF_A_POLICY = ("seed", "set", "max_replications", "error_rates", "tolerance", "data_plane")
"""What the rollout marker may say besides where and at which traffic."""
HOW = "needs a Kubernetes cluster: run pytest with --kind (Docker and kind make one) or --cluster-context=NAME"
_THEIR_PLUGINS = ("pytest-kind-ng", "pytest_kind.plugin")
"""The same one, as an entry point and as -p names it."""
_THEIR_NAME = "pytest-kind"
"""Of the cluster where nobody named one: every run on a machine would meet there."""
_IMAGES = ("app", "gateway", "prometheus", "python")
"""Of every run. What cannot be had of them is missing before the run begins."""
_SHARED = pytest.StashKey[tuple[str, str]]()
"""Of the process that starts workers: what ``_shared`` found."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Ours, beside those of pytest-kind-ng, which has a --keep-cluster too and must be asked first."""
    group = parser.getgroup("kind")
    if not any(map(pluginmanager.has_plugin, _THEIR_PLUGINS)) and not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        # Theirs would fail after ours; ours can cope after theirs.
        pluginmanager.load_setuptools_entrypoints("pytest11", name=_THEIR_PLUGINS[0])
    group.addoption(
        "--kind", action="store_true", help="run tests that need a cluster on a kind cluster of this run's own"
    )
    group.addoption(
        "--cluster-context", metavar="NAME", help="run tests that need a cluster on this context of kubeconfig"
    )
    group.addoption(
        "--cluster-controller",
        choices=("argo", "twin"),
        default="argo",
        help="who decides about Rollouts where a test does not say: the real controller (default) or rolltwin's own rules",
    )
    group.addoption(
        "--cluster-optional",
        action="store_true",
        help="skip instead of failing where no cluster can be made or reached",
    )
    ours = parser.getgroup("rolltwin")
    ours.addoption(
        "--rolltwin-workers",
        metavar="N",
        type=int,
        default=1,
        help="processes that decide the claims of one test (default: 1; pytest -n runs several tests at once)",
    )
    ours.addoption(
        "--rolltwin-store",
        metavar="FILE",
        help="keep finished replications there from run to run (default: one for this run)",
    )
    group.addoption("--cluster-images", metavar="FILE", help="YAML file of images to use instead of rolltwin's pins")
    try:
        group.addoption("--keep-cluster", action="store_true", help="leave the kind cluster and namespaces standing")
    except ValueError:
        return


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker; with a cluster, SIGTERM cleans up as Ctrl-C does."""
    config.addinivalue_line("markers", f"{MARKER}: {HOW}")
    config.addinivalue_line(
        "markers",
        f"{ROLLOUT}(*paths, rps=None, {', '.join(f'{name}=...' for name in _OF_A_POLICY)}): the scenario or manifests, the traffic "
        "and the test of the claims that a test makes with the rolltwin fixture",
    )
    if _wanted(config):
        from harness.ending import termination_as_interrupt

        stack = ExitStack()
        stack.enter_context(termination_as_interrupt())
        config.add_cleanup(stack.close)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Says of each test that needs a cluster how to run it, where there is none."""
    if not _wanted(config):
        for item in items:
            if item.get_closest_marker(MARKER):
                item.add_marker(pytest.mark.skip(reason=HOW))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """pytest-xdist: one kind cluster for all workers, made and deleted by the process that starts them."""
    config: pytest.Config = node.config
    if config.getoption("kind") and not config.getoption("cluster_context"):
        if _SHARED not in config.stash:
            config.stash[_SHARED] = _shared(config)
        node.workerinput["rolltwin_shared"] = config.stash[_SHARED]


def _shared(config: pytest.Config) -> tuple[str, str]:
    """The name of a cluster that lasts as long as ``config``, and why there is none."""
    stack = ExitStack()
    config.add_cleanup(stack.close)
    try:
        return stack.enter_context(_kind(config)).name, ""
    except _unavailable() as error:
        if not config.getoption("cluster_optional"):
            raise pytest.UsageError(str(error)) from error
        return "", str(error)


@pytest.fixture
def rolltwin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rolltwin:
    """Claims about rollouts, as the test's rollout marker says: see ``rolltwin.asking.Rolltwin``."""
    from rolltwin.asking import Rolltwin, Session

    config, node = request.config, request.node
    given = config.getoption("rolltwin_store")
    store = Path(given) if given else tmp_path_factory.getbasetemp() / "rolltwin.sqlite"
    marked: dict[str, Any] = {}
    paths: tuple[str, ...] = ()
    for mark in reversed(list(node.iter_markers(ROLLOUT))):
        marked |= mark.kwargs
        paths = tuple(map(str, mark.args)) or paths
    unknown = marked.keys() - {"rps", *_OF_A_POLICY}
    if unknown:
        known = ", ".join(("rps", *_OF_A_POLICY))
        pytest.fail(f"@pytest.mark.rollout knows no {', '.join(sorted(unknown))}; it knows: {known}", pytrace=False)
    options = {key: value for key, value in marked.items() if key != "rps"}

    def note(claim: str, found: str) -> None:
        if found.startswith("passed"):  # what failed is said by the failure
            node.add_report_section("call", "rolltwin", f"{claim}\n{found}\n")
        node.user_properties.append(("rolltwin", f"{found.partition(':')[0]}: {claim}"))

    session = Session(config.getoption("rolltwin_workers"), store)
    return Rolltwin(node.path.parent, session, paths, marked.get("rps"), options, note)


@pytest.fixture(scope="session")
def rolltwin_images(request: pytest.FixtureRequest) -> Images:
    """The images of this machine, as the pins and --cluster-images say."""
    from harness.images import Images

    file = request.config.getoption("cluster_images")
    return Images(Path(file) if file else None)


@pytest.fixture(scope="session")
def rolltwin_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The cluster of this session; the test is skipped if none was asked for, or none that may be absent came to stand."""
    config = request.config
    if not _wanted(config):
        pytest.skip(HOW)
    with ExitStack() as stack:
        if config.getoption("cluster_optional"):
            cluster = _entered_or_skipped(stack, request)
        else:
            cluster = stack.enter_context(_cluster(config))
        yield cluster


def _entered_or_skipped(stack: ExitStack, request: pytest.FixtureRequest) -> Cluster:
    _, absent = getattr(request.config, "workerinput", {}).get("rolltwin_shared", ("", ""))
    if not absent:
        try:
            cluster = stack.enter_context(_cluster(request.config))
            for name in _IMAGES:
                request.getfixturevalue("rolltwin_images").reference(name)
        except _unavailable() as error:
            absent = str(error)
        else:
            return cluster
    pytest.skip(f"there is no cluster to be had: {absent}")


def _unavailable() -> tuple[type[Exception], ...]:
    """What says that a cluster could not be had, rather than that something is wrong with the test."""
    from harness.cluster.commands import CommandError
    from harness.missing import MissingError
    from harness.waiting import WaitError

    return MissingError, CommandError, WaitError, OSError


@pytest.fixture
def rolltwin_namespace(rolltwin_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Objects]:
    """A namespace of the test's own, empty at first and deleted after it."""
    from harness.cluster.namespace import run_namespace

    keep = bool(request.config.getoption("keep_cluster", default=False))
    with run_namespace(rolltwin_cluster, request.node.name, keep=keep) as objects:
        yield objects


@pytest.fixture
def rolltwin_story(request: pytest.FixtureRequest, tmp_path: Path) -> Story:
    """The test's story; ``given``, ``when`` and ``then`` tell it."""
    from harness.backend import ClusterBackend
    from harness.choices import Choices, Decides
    from harness.cluster.dump import dump
    from harness.cluster.fleet import Fleet
    from harness.steps import Story

    config = request.config
    cluster: Cluster = request.getfixturevalue("rolltwin_cluster")
    images: Images = request.getfixturevalue("rolltwin_images")
    keep = bool(config.getoption("keep_cluster", default=False))
    return Story(
        lambda decides: ClusterBackend(Fleet(cluster), images, Choices(tmp_path, decides, keep_cluster=keep)),
        lambda: request.getfixturevalue("rolltwin_namespace"),
        lambda objects: dump(cluster, objects, tmp_path),
        Decides(config.getoption("cluster_controller")),
    )


@pytest.fixture
def given(rolltwin_story: Story) -> Given:
    """What is there before anything happens: see ``harness.steps.Given``."""
    from harness.steps import Given

    return Given(rolltwin_story)


@pytest.fixture
def when(rolltwin_story: Story) -> When:
    """What happens: see ``harness.steps.When``."""
    from harness.steps import When

    return When(rolltwin_story)


@pytest.fixture
def then(rolltwin_story: Story) -> Then:
    """What must be true: see ``harness.steps.Then``."""
    from harness.steps import Then

    return Then(rolltwin_story)


def _wanted(config: pytest.Config) -> bool:
    return bool(config.getoption("kind") or config.getoption("cluster_context"))


def _cluster(config: pytest.Config) -> AbstractContextManager[Cluster]:
    from harness.cluster.context import context_cluster

    context = config.getoption("cluster_context")
    if context:
        kubeconfig = config.getoption("kubeconfig", default=None)
        return context_cluster(context, Path(kubeconfig) if kubeconfig else None)
    return _kind(config)


def _kind(config: pytest.Config) -> AbstractContextManager[Cluster]:
    from harness.cluster.kind import KindSettings, kind_cluster
    from harness.images import Images

    named = config.getoption("cluster_name", default=_THEIR_NAME)
    shared, _ = getattr(config, "workerinput", {}).get("rolltwin_shared", ("", ""))
    name = shared or ("" if named == _THEIR_NAME else named)
    image = config.getoption("kind_image", default=None) or Images().wanted("kind-node")
    keep = bool(config.getoption("keep_cluster", default=False))
    return kind_cluster(KindSettings.of_environment(image, name, keep=keep))
