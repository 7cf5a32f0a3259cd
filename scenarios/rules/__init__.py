"""Coded rules over manifests and scenarios.

A rule is a small generator ``(Context) -> Hit``; the registry gives it a stable code, a severity, the reason and a
way out. Nothing in here knows a particular playbook: rules read what any team may have written.
"""

from scenarios.rules.registry import RULES, check, rule_of
from scenarios.rules.rule import Hit, Rule

__all__ = ["RULES", "Hit", "Rule", "check", "rule_of"]
