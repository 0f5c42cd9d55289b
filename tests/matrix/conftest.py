"""The package of a service whose origin is Matrix, and a homeserver for each module."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hosting import OF_MATRIX
from projects import write_package
from receiver import Receiver
from synapse import Synapse, running

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = tempfile.TemporaryDirectory(prefix="package-")
MATRIX: dict[str, Any] = {
    "origin_name": "Acme Chat",
    "origin": "matrix",
    "capabilities": OF_MATRIX,
}

write_package(Path(_FOLDER.name), MATRIX)
sys.path.insert(0, _FOLDER.name)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def synapse(receiver: Receiver) -> Iterator[Synapse]:
    yield from running(webhook=receiver.url)
