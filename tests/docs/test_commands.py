"""Every ``rolltwin ...`` command line of the guide is one the program understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolltwin.cli.main import parser

ROOT = Path(__file__).parents[2]
PAGES = (*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md")
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_OPERATORS = {"|", ">", ">>", "2>", "&&", "||", ";", "&", ">&"}


def command_lines(text: str) -> Iterator[list[str]]:
    """Arguments of each ``rolltwin`` command in the fenced blocks, up to the shell's next operator."""
    for language, block in _FENCE.findall(text):
        if language in {"text", "json", "python", "toml"}:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            if re.search(r"(^|\s)rolltwin\s+(check|plan|run|score|diff|study|verify|power|gate|tune|explain|-)", line):
                yield from _commands(line)


def _commands(line: str) -> Iterator[list[str]]:
    tokens = shlex.shlex(line, posix=True, punctuation_chars=True)
    tokens.whitespace_split = True
    words = list(tokens)
    for index, word in enumerate(words):
        if word.rsplit("/", 1)[-1] == "rolltwin":
            rest = words[index + 1 :]
            end = next((i for i, item in enumerate(rest) if item in _OPERATORS), len(rest))
            yield rest[:end]


CASES = [
    pytest.param(arguments, id=f"{page.name}:{shlex.join(arguments)}"[:120])
    for page in PAGES
    if page.is_file()
    for arguments in command_lines(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("arguments", CASES)
def test_command_parses(arguments: list[str]) -> None:
    if not {"--help", "--version"} & set(arguments):
        assert parser().parse_args(arguments).command == arguments[0]


def test_commands_are_found() -> None:
    assert len(CASES) > 10


def test_finder_reads_continuations_pipes_and_comments() -> None:
    text = "```sh\nrolltwin check a \\\n  --strict | head  # look\n```\n```text\nrolltwin no\n```\n"
    assert list(command_lines(text)) == [["check", "a", "--strict"]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        found = page.parent / target if target else page
        assert found.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(found), f"{page.name}: {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """GitHub's names of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
