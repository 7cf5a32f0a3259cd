"""Writing files so that nobody ever reads half of one."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8; what of a file name is no text as ``?``) or bytes beside ``path``, then rename; parents are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode(errors="replace") if isinstance(content, str) else content
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            temporary.unlink()
            raise
    # Temporary files are private; a report is as readable as any new file.
    temporary.chmod(0o644)
    temporary.replace(path)
