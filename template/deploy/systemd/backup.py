"""`backup.py DATABASE FOLDER KEPT` copies the SQLite file under a running service, and keeps the newest copies."""

import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path


def back_up(database: Path, folder: Path, kept: int) -> Path:
    """Return the new copy; only a copy that SQLite finds whole takes the place of an older one."""
    finished = folder / f"{database.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.db"
    unfinished = finished.with_suffix(".unfinished")
    for interrupted in folder.glob("*.unfinished"):
        interrupted.unlink()
    # Without rw a missing file would be made, and its emptiness kept as a copy.
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True, timeout=60)) as source:
        source.execute("VACUUM INTO ?", (str(unfinished),))
    with closing(sqlite3.connect(unfinished)) as copy:
        ((verdict,), *_) = copy.execute("PRAGMA integrity_check").fetchall()
    if verdict != "ok":
        sys.exit(f"The copy {unfinished} is damaged, and perhaps {database} is, too: {verdict}")
    unfinished.rename(finished)
    for old in sorted(folder.glob(f"{database.stem}-*.db"))[:-kept]:
        old.unlink()
    return finished


if __name__ == "__main__":
    path, target, number = sys.argv[1:]
    back_up(Path(path), Path(target), int(number))
