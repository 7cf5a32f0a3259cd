"""Timetables as documents: a table and a few sentences for people, JSON for programs. Nothing is computed here."""

from reports.timetable.json import timetables_json
from reports.timetable.markdown import timetable_markdown
from reports.timetable.text import timetable_text

__all__ = ["timetable_markdown", "timetable_text", "timetables_json"]
