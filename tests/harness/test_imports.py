"""The harness without its optional packages, without Docker, kind and kubectl: it imports, and says what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

OPTIONAL = ("lightkube", "locust", "pytest_kind", "pykube", "testcontainers", "docker", "psycopg")
ELSEWHERE = ("harness.load.locustfile", "harness.app.__main__")
"""Run by other processes, which have what they import."""

IMPORT_ALL = f"""
import pkgutil, sys
for name in {OPTIONAL}:
    sys.modules[name] = None  # an import of it fails as if it were not installed
import harness
from importlib import import_module
names = [one.name for one in pkgutil.walk_packages(harness.__path__, "harness.") if one.name not in {ELSEWHERE}]
for name in names:
    import_module(name)
print(len(names))
"""


def test_every_module_imports_without_the_optional_packages() -> None:
    ran = subprocess.run([sys.executable, "-W", "error", "-c", IMPORT_ALL], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 50


def test_verify_names_everything_that_is_missing_at_once(tmp_path: Path) -> None:
    scenario = Path(__file__).parents[1] / "recorded/scenarios/rolling-good.yaml"
    ran = subprocess.run(
        [sys.executable, "-m", "rolltwin.cli.main", "verify", str(scenario), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    for program in ("docker", "kind", "kubectl"):
        assert f"{program} is missing" in ran.stderr
