"""choices: a second step of the form offers what the account has at the origin, such as pages or rooms."""

from ..core.capability import Capability
from ..core.offers import OFFERS
from ..services import Services
from .offers import Offers


def setup(services: Services) -> Capability:
    services.hooks[OFFERS].append(Offers(services.origin).for_account)
    return Capability(routes=[])
