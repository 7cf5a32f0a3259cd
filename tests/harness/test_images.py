"""Which image is used, without Docker: a program of ours stands in for its client."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.images import Images, PinError, content_hash, pins
from harness.missing import MissingError

DOCKER = """#!/bin/sh
echo "$@" >> "{folder}/asked"
case "$1 $2" in
  "image inspect") grep -qx "$5" "{folder}/present" && echo sha256:1 && exit 0; echo "Error: No such image: $5" >&2; exit 1;;
  "pull --quiet") [ "$3" = "there:1" ] && exit 0; echo "no route to registry" >&2; exit 1;;
  "build --tag") echo "$3" >> "{folder}/present"; exit 0;;
esac
"""
PINS = """
plain: {pull: "there:1"}
absent: {pull: "nowhere:1"}
debian: {pull: "there:1", variable: KIND_BASE_IMAGE}
both: {pull: "there:1", build: made, base: debian}
own: {build: made, base: debian}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as ``harness/`` is, with a docker that knows the images listed in ``present``."""
    (tmp_path / "images.yaml").write_text(PINS, encoding="utf-8")
    (tmp_path / "made").mkdir()
    (tmp_path / "made/Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n", encoding="utf-8")
    (tmp_path / "present").write_text("there:1\nlocal/debian:1\n", encoding="utf-8")
    docker = tmp_path / "docker"
    docker.write_text(DOCKER.format(folder=tmp_path), encoding="utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("ROLLTWIN_DOCKER", str(docker))
    for variable in ("KIND_BASE_IMAGE", "ROLLTWIN_IMAGE_PLAIN", "ROLLTWIN_IMAGE_ABSENT"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def asked(root: Path, word: str) -> list[str]:
    return [line for line in (root / "asked").read_text(encoding="utf-8").splitlines() if line.startswith(word)]


def test_what_is_here_is_not_pulled(root: Path) -> None:
    assert Images(root=root).reference("plain") == "there:1"
    assert not asked(root, "pull")


def test_what_is_not_here_is_pulled_once(root: Path) -> None:
    (root / "present").write_text("", encoding="utf-8")
    images = Images(root=root)
    assert [images.reference("plain"), images.reference("plain")] == 2 * ["there:1"]
    assert asked(root, "pull") == ["pull --quiet there:1"]


def test_what_cannot_be_pulled_is_missing_with_a_remedy(root: Path) -> None:
    with pytest.raises(MissingError, match=r"ROLLTWIN_IMAGE_ABSENT.*\s.*no route to registry"):
        Images(root=root).reference("absent")


def test_our_own_is_built_under_a_tag_of_its_content(root: Path) -> None:
    first = Images(root=root).reference("own")
    assert first == f"local/rolltwin-own:{content_hash(root / 'made', 'sha256:1')}"
    assert Images(root=root).reference("own") == first
    assert len(asked(root, "build")) == 1
    (root / "made/app.py").write_text("pass\n", encoding="utf-8")
    assert Images(root=root).reference("own") != first


def test_a_machine_that_names_its_base_pulls_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Images(root=root).reference("both") == "there:1"
    monkeypatch.setenv("KIND_BASE_IMAGE", "local/debian:1")
    assert Images(root=root).reference("both").startswith("local/rolltwin-both:")
    assert "BASE=local/debian:1" in asked(root, "build")[0]
    assert not asked(root, "pull")


def test_the_environment_and_a_file_name_images_outright(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = root / "mine.yaml"
    mine.write_text("absent: {image: 'there:1'}\n", encoding="utf-8")
    assert Images(mine, root).reference("absent") == "there:1"
    monkeypatch.setenv("ROLLTWIN_IMAGE_ABSENT", "local/debian:1")
    assert Images(mine, root).reference("absent") == "local/debian:1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "not a mapping of names"),
        ("app: nginx", "app: not a mapping of base"),
        ("app: {pull: 1}", "app: not a mapping of base"),
        ("app: {image: a, tag: b}", "app: unknown tag"),
        ("a: b: c", "mapping values are not allowed"),
    ],
    ids=["list", "text", "number", "unknown", "no YAML"],
)
def test_a_file_that_cannot_be_understood(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "images.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PinError, match=said):
        pins(file)


def test_an_image_that_nobody_pinned(root: Path) -> None:
    with pytest.raises(PinError, match="no image is named 'other'; there are plain, absent"):
        Images(root=root).reference("other")


def test_what_is_pinned_can_be_found() -> None:
    images = Images()
    for name, pin in pins(images.root / "images.yaml").items():
        assert pin.pull or pin.build, name
        assert not pin.build or (images.root / pin.build / "Dockerfile").is_file(), name
