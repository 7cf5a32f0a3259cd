"""What may stand where in a scenario file. Defaults are those of ``sim.model``; only meanings are said here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenarios.document.fields import (
    ANSWER,
    CONTROLLER,
    COUNT,
    DELAY,
    DURATION,
    FACTOR,
    FLAG,
    HOUR,
    INVALID,
    LABEL_SOURCE,
    NAME,
    NUMBER,
    OFFERED,
    PERCENT,
    POSITIVE,
    QUANTITY,
    RATE,
    SHARE,
    STATUS,
    TEXT,
    YEAR,
    Choice,
    Field,
    ListOf,
    Maybe,
    PairsOf,
    Reader,
    Section,
    Union,
    counts,
    enum_choice,
)
from scenarios.findings import Path
from scenarios.locustfiles.traffic import AtEnd
from sim.model import behaviour, kpis, load, operations, scenario, strategy, telemetry
from sim.model.controller import NEWEST, Controller
from sim.model.data_plane import DataPlaneMode
from sim.model.rollout import RunRole

SCHEMA = "rolltwin/v1"
ROUTERS = ("nginx", "alb", "smi", "traefik", "ambassador", "apisix", "appMesh", "plugins")

TRIGGER = Section(
    behaviour.Trigger,
    (
        Field("start", DURATION, "From the release being applied.", "start_s"),
        Field("duration", Maybe(DURATION), "How long; none: for ever.", "duration_s"),
        Field("pod_age", Maybe(DURATION), "Only pods that have been Ready this long.", "pod_age_s"),
        Field("above_rps_per_pod", Maybe(RATE), "Only pods offered more than this, requests/s."),
        Field("above_weight", Maybe(PERCENT), "Only while the version carries more than this percentage of traffic."),
    ),
)
TARGET = Section(
    behaviour.Target,
    (
        Field("version", enum_choice(behaviour.Side), "Which version.", "side"),
        Field("share", SHARE, "Which share of its pods, oldest first."),
        Field("region", Maybe(NAME), "Which region; none: every one."),
    ),
)
EFFECTS = Union(
    {
        "errors": Section(
            behaviour.Errors,
            (
                Field("ratio", SHARE, "Share of requests answered with the status.", required=True),
                Field("status", STATUS, "HTTP status of those answers."),
            ),
        ),
        "slowdown": Section(
            behaviour.Slowdown,
            (
                Field("factor", FACTOR, "Service times are multiplied by this."),
                Field("add", DURATION, "Then they are lengthened by this.", "add_s"),
            ),
        ),
        "crash": Section(
            behaviour.Crash,
            (Field("mean_time", DURATION, "Mean time from container start to exit; 0s: at once.", "mean_time_s"),),
        ),
        "slow-start": Section(
            behaviour.SlowStart,
            (
                Field("factor", FACTOR, "Start-up takes this many times as long."),
                Field("add", DURATION, "And this much longer.", "add_s"),
            ),
        ),
        "leak": Section(
            behaviour.Leak,
            (
                Field("slowdown_per_hour", FACTOR, "Growth of service time an hour of pod age (0.5: +50 %)."),
                Field(
                    "oom_after", Maybe(DURATION), "Age at which the container is killed; none: never.", "oom_after_s"
                ),
            ),
        ),
        "provider-outage": Section(
            behaviour.ProviderOutage,
            (Field("provider", Choice(("prometheus", "datadog")), "Which metric provider fails.", required=True),),
        ),
        "node-loss": Section(behaviour.NodeLoss, (Field("nodes", POSITIVE, "How many nodes vanish with their pods."),)),
        "pod-kill": Section(
            behaviour.PodKill,
            (Field("pods", POSITIVE, "How many pods are deleted without grace, oldest first; they are replaced."),),
        ),
        "cpu-stress": Section(
            behaviour.CpuStress,
            (
                Field("cores", FACTOR, "Cores burnt in each pod on a cluster."),
                Field(
                    "slowdown", FACTOR, "What that does to service times, for the twin: they are multiplied by this."
                ),
            ),
        ),
    }
)


@dataclass(frozen=True)
class FaultKind:
    """A fault: name, kind with its own fields, when, target."""

    expected: str = "{name, kind: " + "|".join(EFFECTS.sections) + ", when, target, ...}"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:  # noqa: ARG002 - the Kind protocol
        """See ``fields.Kind.read``."""
        if not isinstance(raw, Mapping):
            return reader.fail(path, f"must be {self.expected}")
        effect = EFFECTS.read({k: v for k, v in raw.items() if k not in {"name", "when", "target"}}, path, reader)
        name = NAME.read(raw.get("name", raw.get("kind", "fault")), (*path, "name"), reader)
        trigger = TRIGGER.read(raw.get("when", {}), (*path, "when"), reader)
        target = TARGET.read(raw.get("target", {}), (*path, "target"), reader)
        if INVALID in {id(part): part for part in (effect, name, trigger, target)}.values():
            return INVALID
        return behaviour.Fault(name, effect, trigger, target)

    def show(self, value: Any) -> str:
        """See ``fields.Kind.show``."""
        return f"{{name: {value.name}, {EFFECTS.show(value.effect)[1:]}"


FAULT = FaultKind()

BEHAVIOUR = Section(
    behaviour.VersionBehaviour,
    (
        Field("name", NAME, "What people call the version."),
        Field("latency", DELAY, "Time to serve one request, queueing apart.", "service_time"),
        Field("statuses", PairsOf(STATUS, SHARE), "Share of answers by HTTP status; the rest is 200."),
        Field("concurrency", counts(1, 10_000), "Requests a pod serves at once; more wait in line."),
        Field("queue_limit", Maybe(COUNT), "Requests that may wait in a pod; more are answered 503. none: any number."),
        Field("start_up", DELAY, "Container start until its first probe can succeed."),
        Field("faults", ListOf(FAULT), "Faults that come with this version."),
    ),
)
RELEASE = Section(
    behaviour.Release,
    (
        Field("name", NAME, "Name of this kind of release, for --release and reports.", required=True),
        Field(
            "good",
            FLAG,
            "Ground truth: promoting a bad one is a miss, aborting a good one a false abort.",
            required=True,
        ),
        Field("share", SHARE, "Share of all releases that are of this kind."),
        Field("behaviour", BEHAVIOUR, "How it behaves; what is not written is as in stable."),
    ),
)
ALERT = Section(
    behaviour.Alert,
    (
        Field("error_ratio", Maybe(SHARE), "Page when more than this share of client requests fails."),
        Field("error_for", DURATION, "For how long it must.", "error_for_s"),
        Field("p99", Maybe(DURATION), "Page when the 99th percentile of latency is above this.", "p99_s"),
        Field("p99_for", DURATION, "For how long it must be.", "p99_for_s"),
    ),
)
PEOPLE = Section(
    behaviour.People,
    (
        Field("approve", Maybe(DELAY), "From an open-ended pause to its approval; none: nobody ever approves."),
        Field("alert", Maybe(ALERT), "What pages a person; none: nothing does."),
        Field("notice", DELAY, "From page to a person looking."),
        Field("decide", DELAY, "From looking to having decided."),
        Field("act", DELAY, "From decision to the command having run."),
        Field("report", Maybe(DELAY), "From a bad release serving everybody to users' reports, where no alert fires."),
        Field("watch_degraded", FLAG, "A rollout that becomes Degraded pages a person too."),
    ),
)
OPERATION = Section(
    operations.Operation,
    (
        Field("at", DURATION, "From the release being applied.", "at_s", required=True),
        Field("do", enum_choice(operations.Command), "What is done.", required=True),
        Field("revision", Maybe(POSITIVE), "undo: to which revision; none: the previous one."),
        Field("release", TEXT, "apply: which kind of release."),
        Field("replicas", Maybe(counts(0, 10_000)), "scale: how many."),
        Field("analysis", Maybe(enum_choice(RunRole)), "terminate: which analysis runs; none: all that go on."),
    ),
)
STAGE = Section(
    load.Stage,
    (
        Field("duration", DURATION, "How long; the last stage lasts for ever.", "duration_s", required=True),
        Field(
            "rate",
            OFFERED,
            "Requests/s offered, in all or for each pod that the workload wants.",
            "rate_rps",
            required=True,
        ),
        Field("ramp", FLAG, "Move linearly from the previous stage's rate."),
    ),
)
DIURNAL = Section(
    load.Diurnal,
    (
        Field("amplitude", SHARE, "Half the swing of the day curve, as a share of the rate."),
        Field("peak_hour", HOUR, "Local hour of the peak."),
        Field("start_hour", HOUR, "Local hour when the release is applied."),
        Field("pace", FACTOR, "Hours of the day that pass in one hour of the run."),
    ),
)
BURST = Section(
    load.Burst,
    (
        Field("start", DURATION, "From the release being applied.", "start_s", required=True),
        Field("duration", DURATION, "How long.", "duration_s", required=True),
        Field("factor", FACTOR, "The rate is multiplied by this.", required=True),
    ),
)
REQUEST_CLASS = Section(
    load.RequestClass,
    (
        Field("name", NAME, "What people call these requests."),
        Field("share", SHARE, "Their share of all requests; what the classes leave is plain GET /.", required=True),
        Field("path", TEXT, "Path with query string."),
        Field("method", NAME, "HTTP method."),
        Field("headers", PairsOf(NAME, TEXT), "Headers they carry."),
        Field("in_mesh", FLAG, "Through a sidecar rather than a gateway."),
        Field("host", TEXT, "Host called; empty: the one the release is routed by."),
        Field("gateway", TEXT, "Gateway they enter by; empty: the one the host is bound to."),
        Field("port", counts(0, 65_535), "Port addressed; 0: conditions on a port hold."),
        Field("labels", PairsOf(NAME, TEXT), "Labels of the calling pods."),
        Field("namespace", TEXT, "Namespace of the calling pods; empty: the release's own."),
    ),
)
LOAD_FIELDS = (
    Field("stages", ListOf(STAGE, non_empty=True), "Requests/s over time."),
    Field("diurnal", Maybe(DIURNAL), "Day curve on top; none: flat."),
    Field("bursts", ListOf(BURST), "Short peaks on top."),
    Field("classes", ListOf(REQUEST_CLASS), "Kinds of requests that routes tell apart."),
)


LOCUST_FIELDS = (
    Field("locustfile", TEXT, "Locust file whose users are the traffic, in place of stages and classes."),
    Field("users", Maybe(counts(1, 1_000_000)), "How many, where it has no LoadTestShape (Locust's -u)."),
    Field("spawn_rate", Maybe(FACTOR), "Users started a second (-r)."),
    Field("run_time", Maybe(DURATION), "Locust's run ends after this; none: never (-t).", "run_time_s"),
    Field("host", TEXT, "Base URL (-H); it matters only where a route names its host."),
    Field("tags", ListOf(NAME), "Only tasks with one of these tags (-T)."),
    Field("exclude_tags", ListOf(NAME), "No tasks with one of these tags (-E)."),
    Field(
        "released_at",
        Maybe(DURATION),
        "Time into Locust's run at which the release is applied; none: once the first users are all there.",
        "released_at_s",
    ),
    Field("at_end", enum_choice(AtEnd), "What comes after the end of Locust's run."),
)


@dataclass(frozen=True)
class WrittenLoad(load.LoadShape):
    """Offered load as written: a Locust file may stand for stages and classes."""

    locustfile: str = ""
    users: int | None = None
    spawn_rate: float | None = None
    run_time_s: float | None = None
    host: str = ""
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    released_at_s: float | None = None
    at_end: AtEnd = AtEnd.STOP


@dataclass(frozen=True)
class HeaderKind:
    """One header that a share of the requests carries."""

    expected: str = "{name, value, share}"

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:  # noqa: ARG002 - the Kind protocol
        """See ``fields.Kind.read``."""
        if not isinstance(raw, Mapping) or set(raw) != {"name", "value", "share"}:
            return reader.fail(path, f"must be {self.expected}")
        parts = (
            NAME.read(raw["name"], (*path, "name"), reader),
            NAME.read(raw["value"], (*path, "value"), reader),
            SHARE.read(raw["share"], (*path, "share"), reader),
        )
        return INVALID if any(part is INVALID for part in parts) else parts

    def show(self, value: Any) -> str:
        """See ``fields.Kind.show``."""
        return f"{{name: {value[0]}, value: {value[1]}, share: {value[2]:g}}}"


CLIENT = Section(
    load.Client,
    (
        Field("timeout", Maybe(DURATION), "Clients give up after this; none: never.", "timeout_s"),
        Field("retries", counts(0, 100), "How often they try again."),
        Field(
            "backoff", DURATION, "Mean pause before trying again; drawn from half to one and a half of it.", "backoff_s"
        ),
        Field("retry_on", ListOf(STATUS), "Statuses that are tried again; time-outs always are."),
        Field("headers", ListOf(HeaderKind()), "Headers that a share of the requests carries."),
        Field("in_mesh", SHARE, "Share of requests from inside the mesh, not through the gateway.", "in_mesh_share"),
    ),
)
LABEL = Section(
    telemetry.LabelSource,
    (
        Field("name", NAME, "Label or tag.", required=True),
        Field(
            "sources",
            ListOf(LABEL_SOURCE, non_empty=True),
            "Where its value comes from, first hit wins.",
            required=True,
        ),
    ),
)
PROMETHEUS = Section(
    telemetry.PrometheusTelemetry,
    (
        Field("scrape_interval", DURATION, "Between two scrapes of a pod.", "scrape_interval_s"),
        Field(
            "version",
            Choice(("2", "2.42", "3", "3.5")),
            "Rules of queries: 2.42 up to 2.50, 2 up to 2.55, 3.5 up to 3.8, 3 since.",
        ),
        Field("query_latency", DURATION, "From asking to having the answer.", "query_latency_s"),
        Field("requests_metric", NAME, "Counter of answers."),
        Field("duration_metric", NAME, "Histogram of latencies, seconds."),
        Field("buckets", ListOf(DURATION, non_empty=True), "Upper bounds of its buckets.", "buckets_s"),
        Field("preset_statuses", ListOf(STATUS), "Statuses counted from 0 at a pod's start; others are born late."),
        Field("labels", ListOf(LABEL), "Labels of the series."),
        Field("conventions", FLAG, "Queries also find pod labels and Istio's, nginx' and kube-state-metrics' series."),
        Field("attached_address", TEXT, "Address used where a template names none."),
    ),
)
DATADOG = Section(
    telemetry.DatadogTelemetry,
    (
        Field("flush_interval", DURATION, "The agent's flush.", "flush_interval_s"),
        Field("lag", DURATION, "From flush to being queryable.", "lag_s"),
        Field("expiry", DURATION, "How long the agent keeps sending 0 for a silent counter.", "expiry_s"),
        Field("whole_buckets", FLAG, "A bucket cut by the window's start counts all of its points."),
        Field("epoch", NUMBER, "UNIX time of the release being applied, to which buckets align.", "epoch_s"),
        Field("bucket", DURATION, "Width of the points that a query of up to an hour returns.", "bucket_s"),
        Field("query_latency", DURATION, "From asking to having the answer.", "query_latency_s"),
        Field("requests_metric", NAME, "Count of requests."),
        Field("duration_metric", NAME, "Prefix of the latency gauges."),
        Field("tags", ListOf(LABEL), "Tags of the points."),
        Field("duration_unit", DURATION, "One unit of the latency gauges.", "duration_unit_s"),
    ),
)
SIGNAL = Section(
    telemetry.Signal,
    (
        Field("template", NAME, "AnalysisTemplate it answers for.", required=True),
        Field("metric", NAME, "Metric of that template.", required=True),
        Field(
            "answer", ANSWER, "What its conditions see from the start; of a job success or failure, of kayenta a score."
        ),
        Field("answers", PairsOf(DURATION, ANSWER), "What they see from a time after the release was applied on."),
        Field("release", NAME, "Only for releases of this name."),
        Field("takes", DURATION, "How long a job or a canary analysis is in flight.", "takes_s"),
    ),
)
TELEMETRY = Section(
    telemetry.Telemetry,
    (
        Field("prometheus", PROMETHEUS, "Scraping."),
        Field("datadog", DATADOG, "Agent and API."),
        Field("signals", ListOf(SIGNAL), "Scripted answers of providers the twin does not model."),
        Field("sample_interval", DURATION, "Interval of the journal's traffic rows.", "sample_interval_s"),
    ),
)
CLUSTER = Section(
    scenario.Cluster,
    (
        Field("nodes", counts(0, 10_000), "Machines."),
        Field("node_cpu", QUANTITY, "Allocatable cores of one."),
        Field("node_memory", QUANTITY, "Allocatable bytes of one."),
        Field("schedule", DELAY, "A pod created until bound to a node."),
        Field("image_pull", DELAY, "Once per node and image."),
        Field("endpoint_propagation", DELAY, "Readiness changed until the routers know."),
        Field("route_propagation", DELAY, "VirtualService written until the proxies act on it."),
        Field(
            "router_propagation",
            PairsOf(Choice(ROUTERS), DELAY),
            "Weights written until another router acts on them, by router; default: as Istio.",
        ),
        Field("verify_weights", FLAG, "The controller waits for an ALB to have taken the weights (off by default)."),
        Field("proxies", counts(1, 1000), "Proxies the requests come through; each knows only its own."),
        Field("istio", Choice(("istio-1.20", "istio-1.30")), "Istio's release, where 1.20 and later ones differ."),
        Field("controller_latency", DURATION, "A change until the reconcile it causes.", "controller_latency_s"),
    ),
)
DELIVERY = Section(
    scenario.Delivery,
    (
        Field(
            "steps",
            ListOf(
                Section(
                    scenario.DeliveryStep,
                    (
                        Field("name", NAME, "What is done.", required=True),
                        Field("delay", DELAY, "How long it takes.", required=True),
                        Field("after_rollout", FLAG, "After the rollout rather than before it."),
                    ),
                )
            ),
            "People's and pipelines' work around the rollout.",
        ),
        Field("git_poll", DURATION, "Argo CD looks this often; the wait is uniform up to it.", "git_poll_s"),
        Field("application", TEXT, "Application whose project's sync windows bind; empty: none do."),
        Field("automatic", FLAG, "Automated sync, or a person's manual sync."),
        Field("year", YEAR, "Calendar year in which commits fall uniformly."),
    ),
)
KPI_TARGET = Section(
    kpis.KpiTarget,
    (
        Field("kpi", enum_choice(kpis.Kpi), "Which indicator.", required=True),
        Field("period", NAME, "Whose target: objective, current, year 1 ...", required=True),
        Field("value", NUMBER, "Bound, in the indicator's unit.", required=True),
        Field("strict", FLAG, "Strictly better than the bound."),
    ),
)
DEFECTS = Section(
    strategy.ScriptDefects,
    (
        Field("missing_target_is_healthy", FLAG, "An absent Deployment passes the validation."),
        Field("no_data_passes", FLAG, "An empty or unreadable answer of Prometheus passes."),
        Field("whole_service_query", FLAG, "The queries look at both colours together."),
        Field("rollback_is_toggle", FLAG, "The rollback command swaps rather than restores."),
    ),
)
LOCAL_STRATEGIES: dict[str, Section] = {
    "argo-rollout": Section(
        strategy.ArgoRollout, (Field("rollout", NAME, "Name of the Rollout that decides.", required=True),)
    ),
    "rolling-update": Section(
        strategy.RollingUpdate, (Field("deployment", NAME, "Name of the Deployment.", required=True),)
    ),
    "set-image": Section(
        strategy.SetImage, (Field("deployment", NAME, "Deployment that kubectl set image names.", required=True),)
    ),
    "switch-script": Section(
        strategy.SwitchScript,
        (
            Field("virtual_service", NAME, "VirtualService the script patches.", required=True),
            Field("route_index", COUNT, "Which of its http routes is the default one."),
            Field("host_prefix", NAME, "Stripped from the destination host to get the colour."),
            Field("colors", ListOf(NAME, non_empty=True), "The two colours."),
            Field("deployment_prefix", NAME, "Put before the colour to get the Deployment."),
            Field("checks", counts(0, 10_000), "Checks after the switch."),
            Field("interval", DURATION, "Between checks.", "interval_s"),
            Field("first_check_after", DURATION, "From the switch to the first check.", "first_check_after_s"),
            Field("error_query", TEXT, "PromQL of the error rate."),
            Field("error_limit", NUMBER, "Fail if greater."),
            Field("latency_query", TEXT, "PromQL of the latency."),
            Field("latency_limit", NUMBER, "Fail if greater."),
            Field("defects", DEFECTS, "Which of the script's defects are present."),
            Field("idle_deployed_by", Maybe(DELAY), "People deploying the idle colour first; none: nobody does."),
        ),
    ),
}
REGION = Section(
    strategy.Region,
    (
        Field("name", NAME, "Region.", required=True),
        Field("share", SHARE, "Its share of the traffic.", required=True),
        Field("deployed", FLAG, "Whether any manifest deploys to it."),
    ),
)
REGION_PHASE = Section(
    strategy.RegionPhase,
    (
        Field("name", NAME, "Phase.", required=True),
        Field("regions", ListOf(REGION, non_empty=True), "Released together.", required=True),
        Field("soak", DURATION, "Watched for this long before the next phase.", "soak_s", required=True),
    ),
)
STRATEGY = Union(
    LOCAL_STRATEGIES
    | {
        "geographic": Section(
            strategy.Geographic,
            (
                Field("phases", ListOf(REGION_PHASE, non_empty=True), "In order.", required=True),
                Field("inner", Union(LOCAL_STRATEGIES), "How each region is released.", required=True),
                Field("ordered", FLAG, "One phase after the other; false: all at once."),
                Field(
                    "application_set", TEXT, "ApplicationSet that generates the regions' Applications.", "refused_by"
                ),
            ),
        )
    }
)


@dataclass(frozen=True)
class Anything:
    """Passed on as it stands; read in a second pass."""

    expected: str

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:  # noqa: ARG002 - the Kind protocol
        """See ``fields.Kind.read``."""
        return raw

    def show(self, value: Any) -> str:
        """See ``fields.Kind.show``."""
        return str(value)


@dataclass(frozen=True)
class Written:
    """A scenario file as written, before its manifests are read and its releases completed."""

    strategy: Any = None
    schema: str = SCHEMA
    name: str = ""
    title: str = ""
    description: str = ""
    variant: str = ""
    manifests: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    stable: behaviour.VersionBehaviour = behaviour.VersionBehaviour("stable")
    releases: Any = ()
    release: str = "good"
    traffic: load.LoadShape = field(default_factory=WrittenLoad)
    client: load.Client = field(default_factory=load.Client)
    telemetry: telemetry.Telemetry = field(default_factory=telemetry.Telemetry)
    faults: tuple[behaviour.Fault, ...] = ()
    people: behaviour.People = field(default_factory=behaviour.People)
    operations: tuple[operations.Operation, ...] = ()
    first_deploy: bool = False
    cluster: scenario.Cluster = field(default_factory=scenario.Cluster)
    controller: Controller = NEWEST
    delivery: scenario.Delivery = field(default_factory=scenario.Delivery)
    targets: tuple[kpis.KpiTarget, ...] = ()
    slo: float = 0.999
    warm_up_s: float = 120.0
    tail_s: float = 300.0
    horizon_s: float = 14400.0
    data_plane: DataPlaneMode = DataPlaneMode.EXACT
    seed: int = 1


DOCUMENT = Section(
    Written,
    (
        Field("schema", Choice((SCHEMA,)), "Version of this format.", required=True),
        Field("name", NAME, "Short name of the strategy in tables; default: its kind."),
        Field("title", TEXT, "One line."),
        Field("description", TEXT, "What the question is."),
        Field("variant", NAME, "as-written, repaired, corrected, or any other word."),
        Field("manifests", ListOf(TEXT), "Files and folders of manifests, relative to this file."),
        Field("without", ListOf(TEXT), "Objects left out of them, as Kind/name: what if this one is missing?"),
        Field(
            "strategy",
            STRATEGY,
            "How the release reaches production; default: the only Rollout, else the only Deployment.",
        ),
        Field("stable", BEHAVIOUR, "How the version before the release behaves."),
        Field("releases", Anything("a list of: " + RELEASE.expected), "Kinds of release, good and bad."),
        Field("release", NAME, "Which of them rolltwin run replays."),
        Field("traffic", Section(WrittenLoad, LOAD_FIELDS + LOCUST_FIELDS), "Offered load."),
        Field("client", CLIENT, "How clients wait and retry."),
        Field("telemetry", TELEMETRY, "What monitoring sees, and when."),
        Field("faults", ListOf(FAULT), "Injected faults, whatever the version."),
        Field("people", PEOPLE, "Reaction times."),
        Field(
            "operations", ListOf(OPERATION), "What people do to a Rollout at set times, whatever they are paged for."
        ),
        Field("first_deploy", FLAG, "Nothing ran before: the release is the first version there is."),
        Field("cluster", CLUSTER, "Machines and Kubernetes' delays."),
        Field("controller", CONTROLLER, "Release of the Argo Rollouts controller; a patch release counts as its line."),
        Field("delivery", DELIVERY, "From commit to apply."),
        Field("targets", ListOf(KPI_TARGET), "Declared targets."),
        Field("slo", SHARE, "Availability objective of the error budget."),
        Field("warm_up", DURATION, "Traffic before the release is applied.", "warm_up_s"),
        Field("tail", DURATION, "The run goes on this long after the rollout's end.", "tail_s"),
        Field("horizon", DURATION, "The run ends here at the latest.", "horizon_s"),
        Field(
            "data_plane",
            enum_choice(DataPlaneMode),
            "exact simulates every request; auto only counts and latencies where the error of that is bounded (docs/model.md); aggregate also beyond that.",
        ),
        Field("seed", COUNT, "Master seed."),
    ),
)
