"""``python -m tests.golden``: write every golden text anew."""

from __future__ import annotations

from tests.golden.texts import ALL


def main() -> None:
    """Writes the files; ``git diff`` shows what has changed."""
    for file, made in ALL.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(made(), encoding="utf-8")


if __name__ == "__main__":
    main()
