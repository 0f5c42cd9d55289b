"""The message of `proxy` as a type."""

from ..core.messages import Received

CLIENT_DATA_LIMIT = 65_536
"""Characters; an action takes an id and a few words."""


class ProxyRequest(Received):
    """What Zendesk passes on: whose ticket the agent looks at, and what the app sent, which may be nothing (SVC-61)."""

    instance_metadata: str
    client_data: str = ""
