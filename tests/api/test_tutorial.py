"""The examples of docs/python-api.md, run in order as a reader would run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyqemu

DOCUMENT = Path(pyqemu.__file__).parents[1] / "docs" / "python-api.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def test_examples_work() -> None:
    text = DOCUMENT.read_text("utf-8")
    scope: dict[str, Any] = {}
    examples = list(EXAMPLE.finditer(text))
    assert len(examples) >= 8
    for example in examples:
        line = text[: example.start()].count("\n") + 1
        exec(compile("\n" * line + example[1], str(DOCUMENT), "exec"), scope)
    with pyqemu.Machine(scope["build_image"](), memory="32M", icount=True) as machine:
        scope["test_guest_shows_its_files"](lambda *_, **__: machine)
