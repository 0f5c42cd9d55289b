"""`python -m sandbox.attended PACKAGE …`: a package's command line, which ends with the process that started it.

That process holds the other end of standard input. However it ends, also by SIGKILL, this end is then closed.
"""

import os
import runpy
import signal
import sys
from threading import Thread


def _end_when_alone() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    Thread(target=_end_when_alone, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
