"""proxy: an app beside the ticket acts on the original post."""

from ..core.capability import Capability
from ..core.origin_backoff import OriginBackoff
from ..services import Services
from .actions import Actions
from .endpoint import ProxyEndpoint


def setup(services: Services) -> Capability:
    backoff = OriginBackoff(services.accounts, services.clock)
    actions = Actions(services.origin, backoff, services.metrics)
    # The manifest has no place for this address: the app names it in each call, and Zendesk calls no other host.
    return Capability(routes=ProxyEndpoint(services.accounts, actions).routes())
