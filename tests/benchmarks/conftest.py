"""The package of a service whose requests are counted."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from projects import write_package

_FOLDER = tempfile.TemporaryDirectory(prefix="package-")

CAPABILITIES = [
    "pull",
    "push",
    "channelback",
    "deferred_replies",
    "clickthrough",
    "event_callback",
    "about",
    "dashboard",
]

write_package(Path(_FOLDER.name), {"origin_name": "Counted Reviews", "capabilities": CAPABILITIES})
sys.path.insert(0, _FOLDER.name)
