"""An origin that sends byte by byte holds up what waits for it, and nothing else."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from commands import environment, run

if TYPE_CHECKING:
    from projects import Project

SLOW_ORIGIN = Path(__file__).with_name("slow_origin.py")


def test_slow_files_and_a_slow_save_hold_up_nobody_else(with_webhooks: Project, tmp_path: Path) -> None:
    source = with_webhooks.installed(tmp_path / "src")
    env = environment(PYTHONPATH=os.pathsep.join([str(source), str(with_webhooks.path)]))

    ended = run(sys.executable, SLOW_ORIGIN, folder=tmp_path, env=env, timeout=120)

    met = json.loads(ended.output.splitlines()[-1])
    status, posts, seconds = met["pull"]
    assert (status, posts) == (200, 1)
    assert seconds < 20
    # Anybody can open a form, and save it.
    assert met["beside_saves"] == [200, 0]
    # So many files that they could never be fetched in time.
    status, answer, posted = met["reply"]
    assert (status, posted) == (400, 0)
    assert "file_urls" in answer["description"]
    assert "at most 64" in answer["description"]
    # As long as CALL_DEADLINE, not as the answer.
    page, seconds = met["save"]
    assert "did not answer" in page
    assert seconds < 20
