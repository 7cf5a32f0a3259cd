"""Routes that a header opens: only where requests from outside the mesh meet them (RT409)."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios import manifests, rules

VIRTUAL_SERVICE = """\
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  gateways: [mesh, edge]
  http:
    - match: [{headers: {x-try: {exact: "1"}}%s}]
      route: [{destination: {host: shop-next}}]
    - route: [{destination: {host: shop}}]
"""


@pytest.mark.parametrize(
    ("gateways", "found"),
    [
        pytest.param("", True, id="those-of-the-service"),
        pytest.param(", gateways: [mesh]", False, id="mesh-only"),
        pytest.param(", gateways: [edge]", True, id="edge"),
    ],
)
def test_header_routes_are_open_only_through_gateways(tmp_path: Path, gateways: str, found: bool) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(VIRTUAL_SERVICE % gateways, encoding="utf-8")
    codes = {item.code for item in rules.check(manifests.load([file]))}
    assert ("RT409" in codes) is found
