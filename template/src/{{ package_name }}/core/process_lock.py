"""Process lock: whether another process uses the same SQLite file. It ends with its holder, however that ends."""

import sys
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl


class ProcessLock:
    """Shared by all processes that use a file; who gets it for itself knows that there is no other."""

    def __init__(self, path: Path | None) -> None:
        """Take None where nothing can be known."""
        self._path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Take the lock alone and say so; else share it, once those who share it with each other have settled that."""
        if self._path is None or sys.platform == "win32":
            return False
        try:
            # Not the database itself: closing that would end the locks which SQLite holds on it.
            self._file = self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.share()
            return False
        except OSError:
            # A read-only folder, or a file system without locks.
            self.release()
            return False
        return True

    def share(self) -> None:
        """Let others in."""
        if self._file and sys.platform != "win32":
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def release(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
