"""RT94x: what a blue-green Rollout does before and after its switch that its fields do not say."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.findings import Path, Severity
from scenarios.rules.context import Context
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import dig, mapping, text, whole
from scenarios.rules.uses import Role, metrics_of, rollout_uses
from sim.model.units import duration_text

_BLUE_GREEN: Path = ("spec", "strategy", "blueGreen")


def preview_before_pods(context: Context) -> Iterator[Hit]:
    """Preview Services, which point to the new ReplicaSet before it has pods (``rollout/service.go:77-92``)."""
    for document in context.of_kind("Rollout"):
        service = text(document.data, *_BLUE_GREEN, "previewService")
        if service:
            message = (
                f"preview Service {service!r} points to the new version from the first moment: it has no endpoints until the "
                f"first new pod is ready"
            )
            yield Hit(document, (*_BLUE_GREEN, "previewService"), message)


def switch_back_waits(context: Context) -> Iterator[Hit]:
    """Post-promotion analyses, whose failure switches back only while all new pods are available."""
    for document in context.of_kind("Rollout"):
        if mapping(document.data, *_BLUE_GREEN, "postPromotionAnalysis"):
            message = (
                f"a failing post-promotion analysis of Rollout {document.name!r} does not switch back while one of the new "
                f"pods is not available, as when they crash"
            )
            yield Hit(document, (*_BLUE_GREEN, "postPromotionAnalysis"), message)


def old_pods_gone(context: Context) -> Iterator[Hit]:
    """Old pods that go before the post-promotion analysis has ended (``rollout/bluegreen.go:205-218``)."""
    for document in context.of_kind("Rollout"):
        path = (*_BLUE_GREEN, "scaleDownDelaySeconds")
        delay = whole(dig(document.data, *path))
        lengths = [
            metric.shortest_pass_s
            for use in rollout_uses(document)
            if use.role is Role.POST_PROMOTION
            for metric in metrics_of(context, use)
            if metric.shortest_pass_s is not None
        ]
        longest = max(lengths, default=0.0)
        if delay and delay < longest:
            message = (
                f"scaleDownDelaySeconds {delay} of Rollout {document.name!r} takes the old pods away while its post-promotion "
                f"analysis still measures (at least {duration_text(longest)}): the way back then waits for new pods"
            )
            yield Hit(document, path, message)


RULES = (
    Rule("RT941", "preview-before-pods", Severity.INFO,
         "The preview Service is switched before the new ReplicaSet is scaled.",
         "let tests against the preview wait for it, or put them into prePromotionAnalysis", preview_before_pods),
    Rule("RT942", "switch-back-waits", Severity.INFO,
         "The code that points the active Service back stands behind the check that the new ReplicaSet is saturated "
         "(rollout/service.go:99-116).",
         "judge before the switch what can crash (prePromotionAnalysis), and know the undo command", switch_back_waits),
    Rule("RT943", "old-pods-gone", Severity.WARNING,
         "Without scaleDownDelaySeconds the old pods stay until the post-promotion analysis is Successful; a value that is "
         "written counts from the switch.",
         "leave scaleDownDelaySeconds out, or make it longer than the analysis", old_pods_gone),
)  # fmt: skip
