"""Compiled code on disk must not outlive the text it came from."""

from __future__ import annotations

from pathlib import Path

from sim.traffic.jit import digest


def package(root: Path, **texts: str) -> Path:
    folder = root / "sim" / "traffic"
    folder.mkdir(parents=True)
    for name, text in texts.items():
        folder.joinpath(f"{name}.py").write_text(text)
    return root


LOOP = "from sim.traffic.steps import step\nfrom os import path\n"


def test_a_change_in_what_is_inlined_gives_another_digest(tmp_path: Path) -> None:
    steps = "from sim.traffic.loop import loop\n"  # a circle is no trouble
    first = package(tmp_path / "first", loop=LOOP, steps=steps)
    same = package(tmp_path / "same", loop=LOOP, steps=steps, other="changed = 1\n")
    changed = package(tmp_path / "changed", loop=LOOP, steps=steps + "x = 1\n")
    name = "sim.traffic.loop"
    assert digest(name, first) == digest(name, same) != digest(name, changed)


def test_a_module_without_a_readable_file_has_a_digest_too(tmp_path: Path) -> None:
    assert digest("sim.traffic.loop", tmp_path) == digest("sim.traffic.steps", tmp_path)
