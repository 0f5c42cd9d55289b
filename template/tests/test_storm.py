"""Nothing is lost, doubled or put out of order, whatever happens to processes, connections and Zendesk.

The same at full size: `python -m tests.storm postgresql`.
"""

import sys
from pathlib import Path

import pytest

from tests.conftest import DatabaseMaker
from tests.storm import Course, Storm

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill or freeze a process so.")


async def test_a_small_storm_is_survived(database_url: str, tmp_path: Path) -> None:
    """SVC-57"""
    storm = Storm(messages=120, threads=6, accounts=2, kills=2, freezes=1, workers=2)

    report = await Course(storm, database_url, tmp_path).run()

    assert report["messages"] == 120
    assert report["disturbances"] >= 2


async def test_in_fair_weather_each_post_is_sent_once(
    make_postgresql_database: DatabaseMaker, tmp_path: Path
) -> None:
    """SVC-57: Zendesk's own memory of what it has is for emergencies."""
    storm = Storm(messages=100, threads=4, accounts=2, kills=0, freezes=0, workers=2, fair=True)

    report = await Course(storm, make_postgresql_database(), tmp_path).run()

    assert report["results"] == {"success": 100}
