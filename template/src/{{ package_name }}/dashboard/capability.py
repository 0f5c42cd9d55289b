"""dashboard: pages of accounts, traffic and failures: all of them for operators, their own for admins."""

from ..core.capability import Capability
from ..services import Services
from .accounts import AccountSection
from .endpoint import DashboardEndpoint


def setup(services: Services) -> Capability:
    services.hooks.sections.insert(0, AccountSection(services.accounts, services.clock).tables)
    endpoint = DashboardEndpoint(
        services.accounts,
        services.hooks.sections,
        services.operator_auth,
        services.signer,
        services.pages,
        services.clock,
    )
    services.hooks.account_pages.append(endpoint.account_page)
    return Capability(routes=endpoint.routes(), manifest_urls={"dashboard_url": "/channel/dashboard"})
