"""choices: a second step of the form offers what the account has at the origin, such as pages or rooms."""

from ..core.capability import Capability
from ..services import Services
from .offers import Offers


def setup(services: Services) -> Capability:
    services.hooks.offers.append(Offers(services.origin).for_account)
    return Capability(routes=[])
