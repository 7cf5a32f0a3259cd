"""RT114, RT125: analysis runs that end as Error before they measure, wherever they are started."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from scenarios.findings import Path, Severity
from scenarios.manifests import Document
from scenarios.manifests.build import analysis
from scenarios.rules.context import Context, space
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import entries, mapping, text
from sim.decide.arguments import RunContext, TemplateError
from sim.decide.templates import checked_run, resolve, templates_of
from sim.decide.validation_references import analysis_uses
from sim.model.analysis import AnalysisRef, AnalysisRunSpec, AnalysisTemplate, Argument, TemplateRef
from sim.model.rollout import RolloutSpec

_METRICS = "Analysis spec invalid: metrics["
_REPORTED = re.compile(
    r"not found|was not resolved|Rule didn't match|no metrics specified|is invalid: spec\.metrics|two metrics have the same name"
    r"|both Value and ValueFrom"
)
"""What other rules say of Rollouts with a better place."""


@dataclass(frozen=True)
class Start:
    """A place that starts an analysis run: of a Rollout, of an Experiment, or an AnalysisRun itself."""

    document: Document
    path: Path
    words: str
    run: AnalysisTemplate | None = None
    """The run itself, where it is written out."""
    ref: AnalysisRef | None = None
    """The templates it is made of, where it is not."""
    rollout: RolloutSpec | None = None
    validated: bool = False
    """Whether the Rollout's own validation looks at it."""


def starts(context: Context) -> Iterator[Start]:
    """Every place that starts a run, in the order of the kinds."""
    for spec in context.manifests.rollouts:
        document = context.find("Rollout", spec.name, spec.namespace)
        if document is not None:
            words = f"analysis of Rollout {spec.name!r}"
            for use in analysis_uses(spec):
                yield Start(document, use.where.path[:-1], words, None, use.ref, spec, validated=True)
            yield from _of_experiment_steps(document, spec)
    for document in context.of_kind("Experiment"):
        for path, item in entries(document.data, "spec", "analyses"):
            reference = TemplateRef(text(item, "templateName"), item.get("clusterScope") is True)
            ref = replace(analysis.reference(dict(item)), templates=(reference,))
            words = f"analysis {text(item, 'name')!r} of Experiment {document.name!r}"
            yield Start(document, path, words, None, ref, RolloutSpec(document.name, space(document)))
    for document in context.of_kind("AnalysisRun"):
        run = analysis.template(document.data, document.name, space(document), cluster_scoped=False)
        yield Start(document, ("spec",), f"AnalysisRun {document.name!r}", run)


def _of_experiment_steps(document: Document, spec: RolloutSpec) -> Iterator[Start]:
    """Runs of the experiments that a canary starts; the controller looks at them only once they are created."""
    for step, item in enumerate(spec.canary.steps if spec.canary else ()):
        for index, one in enumerate(item.experiment.analyses if item.experiment else ()):
            path = ("spec", "strategy", "canary", "steps", step, "experiment", "analyses", index)
            words = f"analysis {one.name!r} of the experiment in step {step + 1} of Rollout {spec.name!r}"
            yield Start(document, path, words, None, one.ref, spec)


def cannot_start(context: Context) -> Iterator[Hit]:
    """Runs that are an Error from their first reconcile, and analyses of which no run can be made."""
    for start in starts(context):
        error = _error(context, start)
        elsewhere = error.startswith(_METRICS) or (start.validated and _REPORTED.search(error))
        if error and not elsewhere:
            yield Hit(start.document, start.path, f"{start.words} cannot run: {error}")


def _error(context: Context, start: Start) -> str:
    try:
        names = _known_secrets(context, start)
        surroundings = RunContext("canary", "stable", space(start.document), names, context.controller)
        if start.run is not None:
            run = AnalysisRunSpec(
                start.run.name,
                (),
                start.run.args,
                start.run.dry_run,
                start.run.retention,
                controller=context.controller,
            )
            checked_run(run, start.run.metrics_json, surroundings)
        elif start.ref is not None and start.rollout is not None:
            resolve(start.ref, context.manifests, start.rollout, surroundings, start.document.name)
    except TemplateError as error:
        return error.message
    return ""


def _known_secrets(context: Context, start: Start) -> Mapping[str, Mapping[str, str]] | None:
    """Data of the Secrets that are there; of one that is not, every key it is asked for (RT125 tells)."""
    secrets = _secrets(context, space(start.document))
    if not secrets:
        return None
    for argument in _arguments(context, start):
        secret = argument.secret
        if secret is not None and secret.name not in {item.name for item in context.of_kind("Secret")}:
            secrets.setdefault(secret.name, {})[secret.key] = ""
    return secrets


def _secrets(context: Context, namespace: str) -> dict[str, dict[str, str]]:
    found = {}
    for document in context.of_kind("Secret"):
        if space(document) == namespace:
            written = {**mapping(document.data, "data"), **mapping(document.data, "stringData")}
            found[document.name] = {key: str(value) for key, value in written.items()}
    return found


def _arguments(context: Context, start: Start) -> tuple[Argument, ...]:
    if start.run is not None:
        return start.run.args
    try:
        named = start.ref.templates if start.ref is not None else ()
        templates = templates_of(named, context.manifests, space(start.document))
    except TemplateError:
        return ()
    return tuple(argument for template in templates for argument in template.args)


def absent_secrets(context: Context) -> Iterator[Hit]:
    """Secrets that are not among those of the same namespace."""
    for start in starts(context):
        known = _secrets(context, space(start.document))
        for argument in _arguments(context, start) if known else ():
            secret = argument.secret
            if secret is not None and secret.name not in known:
                message = (
                    f"{start.words} takes argument {argument.name!r} from Secret {secret.name!r}, which is not among those of "
                    f"namespace {space(start.document)!r}"
                )
                yield Hit(start.document, start.path, message)


RULES = (
    Rule(
        "RT114",
        "analysis-cannot-run",
        Severity.ERROR,
        "A run whose arguments, rules or Secrets do not fit ends as Error at once, and an Error aborts the rollout.",
        "correct what the message names; it is the controller's own",
        cannot_start,
    ),
    Rule(
        "RT125",
        "secret-absent",
        Severity.WARNING,
        "A run that cannot read its Secret ends as Error at once. The Secret may come from elsewhere.",
        "add the Secret to the manifests, or make sure that it is in the namespace before the first release",
        absent_secrets,
    ),
)
