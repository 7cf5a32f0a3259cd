"""Say what a scenario or policy file may hold, with units and defaults, or show the packaged default scenario.

rolltwin explain scenario            every field
rolltwin explain scenario.people     one part of it
rolltwin explain policy              what a policy file may hold, for rolltwin gate (also policy.PART)
rolltwin explain kpis                the indicators and their definitions
rolltwin explain default             the world that bare manifests are replayed in, ready to be copied
"""

from __future__ import annotations

import argparse

from scenarios import library
from scenarios.document.explain import NoSuchPartError, explain
from scenarios.document.fields import Section
from scenarios.document.schema import DOCUMENT
from scenarios.findings import BadInput, Finding, Severity
from scenarios.policy.schema import POLICY
from sim.model.kpis import KPI_MEANINGS

TOPICS = "scenario[.PART], policy[.PART], kpis, default"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("topic", metavar="TOPIC", help=f"one of: {TOPICS}")


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    topic, _, part = args.topic.partition(".")
    match topic:
        case "scenario":
            print(_document(topic, part, DOCUMENT))
        case "policy":
            print(_document(topic, part, POLICY))
        case "kpis":
            print("\n".join(f"{name:<34} {item.unit:<9} {item.meaning}" for name, item in KPI_MEANINGS.items()))
        case "default":
            print(library.DEFAULT.read_text(encoding="utf-8"), end="")
        case _:
            raise _unknown(args.topic, f"topics: {TOPICS}")
    return 0


def _document(topic: str, part: str, document: Section) -> str:
    try:
        return explain(part, document)
    except NoSuchPartError as error:
        raise _unknown(topic + "." + part, str(error)) from None


def _unknown(topic: str, hint: str) -> BadInput:
    return BadInput([Finding("RT800", Severity.ERROR, f"nothing to explain under {topic!r}", suggestion=hint)])
