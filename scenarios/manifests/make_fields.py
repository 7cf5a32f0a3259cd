"""Makes field tables from CRDs: ``python -m scenarios.manifests.make_fields CRD_DIR OUT_DIR``.

CRD_DIR holds CustomResourceDefinitions as YAML or JSON (``kubectl get crd -o yaml``) or flat JSON dumps of their
versions; OUT_DIR gets one JSON file for each kind.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from scenarios.findings import BadInput, has_errors
from scenarios.manifests.crds import read_crds


def main(source: Path, target: Path) -> int:
    """Writes the tables and returns how many."""
    tables, findings = read_crds(source)
    if has_errors(findings):
        raise BadInput(findings)
    target.mkdir(parents=True, exist_ok=True)
    for table in tables:
        text = json.dumps(table, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        (target / f"{table['kind']}.json").write_text(text + "\n", encoding="utf-8")
    return len(tables)


if __name__ == "__main__":
    sys.exit(0 if main(Path(sys.argv[1]), Path(sys.argv[2])) else 1)
