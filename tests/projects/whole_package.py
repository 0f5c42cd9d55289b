"""Puts the package of a service that can do everything where Python finds it; importing this module does it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from hosting import EVERYTHING
from projects import write_package

_FOLDER = tempfile.TemporaryDirectory(prefix="package-")

write_package(Path(_FOLDER.name), {"origin_name": "Acme Reviews", "capabilities": EVERYTHING})
sys.path.insert(0, _FOLDER.name)
