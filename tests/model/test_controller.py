from __future__ import annotations

import pytest

from sim.model.controller import NEWEST, Controller, Expr


@pytest.mark.parametrize(
    ("text", "release"),
    [
        pytest.param("argo-1.6", Controller.ARGO_1_6, id="line"),
        pytest.param("argo-1.8.4", Controller.ARGO_1_8, id="patch"),
        pytest.param("argo-1.8.0", Controller.ARGO_1_8, id="any-patch"),
        pytest.param("argo-1.10.0-rc1", Controller.ARGO_1_10_RC1, id="candidate"),
        pytest.param("argo-1.10.2", Controller.ARGO_1_10, id="two-digits"),
    ],
)
def test_names(text: str, release: Controller) -> None:
    assert Controller.parse(text) is release


@pytest.mark.parametrize("text", ["", "1.8", "argo-1.5", "argo-1.11.0", "argo-1.8.4.1", "argo-1.8-rc1", "Argo-1.8"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"argo-1\.6, argo-1\.7"):
        Controller.parse(text)


def test_order_is_by_age_not_by_text() -> None:
    assert NEWEST.is_since(Controller.ARGO_1_10_RC1)
    assert Controller.ARGO_1_10.is_since(Controller.ARGO_1_9)
    assert not Controller.ARGO_1_6.is_since(Controller.ARGO_1_7)
    assert all(release.is_since(release) for release in Controller)


def test_expression_library() -> None:
    assert [release.expr for release in Controller] == [
        Expr.V1_15_3,
        Expr.V1_15_5,
        Expr.V1_15_5,
        Expr.V1_15_5,
        Expr.V1_17,
        Expr.V1_17,
    ]
