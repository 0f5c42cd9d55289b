"""health: whether the service answers and can work, and what it counts."""

from ..core.capability import Capability
from ..services import Services
from .endpoint import HealthEndpoint


def setup(services: Services) -> Capability:
    endpoint = HealthEndpoint(services.database, services.metrics, services.operator_auth)
    return Capability(routes=endpoint.routes(), manifest_urls={"healthcheck_url": "/channel/healthcheck"})
