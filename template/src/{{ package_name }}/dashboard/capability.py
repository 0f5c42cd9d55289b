"""dashboard: a page that shows accounts, traffic and failures to the people who run the service."""

from ..core.capability import Capability
from ..services import Services
from .accounts import AccountSection
from .endpoint import DashboardEndpoint


def setup(services: Services) -> Capability:
    services.hooks.sections.insert(0, AccountSection(services.accounts, services.clock).tables)
    endpoint = DashboardEndpoint(
        services.accounts, services.hooks.sections, services.operator_auth, services.pages, services.clock
    )
    return Capability(routes=endpoint.routes(), manifest_urls={"dashboard_url": "/channel/dashboard"})
