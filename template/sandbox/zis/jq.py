"""jq's filters, run in a process of their own: nothing else ends one that is endless, or keeps it from `$ENV`."""

import asyncio
import json
import sys
from typing import Any

SECONDS = 5
MEMORY = 1 << 30
_PROGRAM = """
import json, sys
asked = json.load(sys.stdin)
sys.path[:] = asked["path"]
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (asked["memory"],) * 2)
except (ImportError, ValueError, OSError):
    pass
import jq
try:
    print(json.dumps({"result": next(iter(jq.compile(asked["filter"]).input_value(asked["data"])), None)}))
except ValueError as error:
    print(json.dumps({"error": str(error)}))
"""


class FilterError(Exception):
    """A filter that cannot be read, fails, or takes too much."""


async def first_result(filter_: str, data: Any, seconds: float = SECONDS) -> Any:
    """Return the first value that a filter makes of the data, or None."""
    asked = {"filter": filter_, "data": data, "path": sys.path, "memory": MEMORY}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-c",
        _PROGRAM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    try:
        async with asyncio.timeout(seconds):
            output, errors = await process.communicate(json.dumps(asked).encode())
    except TimeoutError:
        raise FilterError(f"the filter took longer than {seconds:g} seconds") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if b"No module named 'jq'" in errors:
        raise FilterError("the sandbox needs the package jq for this; install it with `uv add --dev jq`")
    if process.returncode:
        raise FilterError("the filter took more memory than it is given, or ended its process")
    answer = json.loads(output)
    if "error" in answer:
        raise FilterError(answer["error"])
    return answer["result"]
