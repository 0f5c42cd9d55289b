"""dashboard: pages of accounts, traffic and failures: all of them for operators, their own for admins."""

from ..core.capability import Capability
from ..core.tables import ACCOUNT_PAGES, SECTIONS
from ..services import Services
from .accounts import AccountSection
from .endpoint import DashboardEndpoint


def setup(services: Services) -> Capability:
    services.hooks[SECTIONS].insert(0, AccountSection(services.accounts, services.clock).tables)
    endpoint = DashboardEndpoint(
        services.accounts,
        services.hooks[SECTIONS],
        services.operator_auth,
        services.signer,
        services.pages,
        services.clock,
    )
    services.hooks[ACCOUNT_PAGES].append(endpoint.account_page)
    return Capability(routes=endpoint.routes(), manifest_urls={"dashboard_url": "/channel/dashboard"})
