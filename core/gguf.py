"""Whether this machine can make GGUF files; no library is loaded to find out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

CONVERTER_SETTING: Final = "UNISD_GGUF_CONVERTER"
"""Environment variable: path of llama.cpp's `convert_hf_to_gguf.py`, or of its folder."""
_NAMES: Final = ("convert_hf_to_gguf.py", "convert-hf-to-gguf")
REPORTED_AS: Final = "gguf converter"
"""Name under which a worker tells of its converter, among the versions that it reports."""
HOW_TO_GET: Final = (
    f"Get llama.cpp on a worker and set {CONVERTER_SETTING} to its convert_hf_to_gguf.py, then "
    "start the worker again."
)


def find_converter() -> Path | None:
    """llama.cpp's converter on this machine: as the setting says, else from the PATH."""
    named = os.environ.get(CONVERTER_SETTING)
    if named:
        path = Path(named).expanduser()
        path = path / _NAMES[0] if path.is_dir() else path
        return path if path.is_file() else None
    found = filter(None, map(shutil.which, _NAMES))
    return next((Path(path) for path in found), None)
