"""The service on AWS Lambda: a process that starts with a request, sleeps between two, and is never told of its end.

What lasts as long as the process is made once, while the function starts, on the one event loop that all requests
share: the settings, the schema of the database, its connections.
"""

import asyncio
from typing import Any

from mangum import Mangum

from .app import create_app
from .core import logs
from .settings import Settings

_settings = Settings.load()
logs.configure(_settings.log_level, readable=False)

_loop = asyncio.new_event_loop()
asyncio.set_event_loop(_loop)
_app = create_app(_settings, resident=False)
# Mangum would start and stop the service around each single request. Here it is started once; it would stop by itself
# if nobody held its lifespan.
_lifespan = _app.router.lifespan_context(_app)
_loop.run_until_complete(_lifespan.__aenter__())
_answer = Mangum(_app, lifespan="off")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Answer a request, or keep house when the schedule asks for it."""
    if "requestContext" in event:
        return _answer(event, context)
    _loop.run_until_complete(_app.state.keep_house())
    return None
