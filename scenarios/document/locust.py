"""A scenario whose traffic is a Locust file: the file is surveyed, and its users become stages and classes."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path as File
from typing import Any, Final

from scenarios.document.fields import INVALID, SCENARIO_CODE, Reader
from scenarios.document.schema import WrittenLoad
from scenarios.document.source import Source
from scenarios.findings import Finding, Severity
from scenarios.locustfiles.asking import Question, SurveyError, ask
from scenarios.locustfiles.traffic import traffic_of
from sim.model.load import LoadShape
from sim.model.manifests import ManifestSet

_MARGIN_S: Final = 3600.0
"""Looked at beyond the horizon, for a ramp before the release."""


def plain(written: Any) -> Any:
    """The document with its load as the model knows it."""
    if written is INVALID or type(written.traffic) is LoadShape:
        return written
    own = {item.name: getattr(written.traffic, item.name) for item in fields(LoadShape)}
    return replace(written, traffic=LoadShape(**own))


def with_users(written: Any, source: Source, objects: ManifestSet, reader: Reader) -> tuple[Any, tuple[str, ...]]:
    """The document with the traffic of its Locust file, if it names one, and what is worth knowing of that.

    What is wrong with the file is recorded at its own line.
    """
    if written is INVALID or not isinstance(written.traffic, WrittenLoad) or not written.traffic.locustfile:
        return plain(written), ()
    load = written.traffic
    named_in = source.position(("traffic", "locustfile")).file
    # What the command line says is relative to where it was typed.
    file = (File() if named_in.startswith("--set ") else File(named_in).parent) / load.locustfile
    if not _is_file(file):
        reader.fail(
            ("traffic", "locustfile"), f"no such file: {file}", "paths are relative to the file that names them"
        )
        return plain(written), ()
    until_s = written.horizon_s + written.tail_s
    try:
        survey = ask(_question(file, load, until_s, written))
        traffic = traffic_of(survey, until_s, load.at_end, load.released_at_s, _hosts(objects))
    except SurveyError as error:
        reader.findings.append(Finding(SCENARIO_CODE, Severity.ERROR, str(error), str(file), error.line))
        return plain(written), ()
    notes = tuple(f"{load.locustfile}: {note}" for note in traffic.notes)
    return plain(replace(written, traffic=replace(load, stages=traffic.stages, classes=traffic.classes))), notes


def _is_file(file: File) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # too long, or with a zero byte
        return False


def _question(file: File, load: WrittenLoad, until_s: float, written: Any) -> Question:
    return Question(
        file=file,
        users=load.users,
        spawn_rate=load.spawn_rate,
        run_time_s=load.run_time_s,
        host=load.host,
        tags=load.tags,
        exclude_tags=load.exclude_tags,
        until_s=until_s + (load.released_at_s or _MARGIN_S),
        latency=written.stable.service_time,
    )


def _hosts(objects: ManifestSet) -> set[str]:
    """Hosts that a VirtualService routes."""
    return {host for service in objects.virtual_services for host in service.hosts}
