"""files: Zendesk fetches the files of posts through signed links."""

from ..core.capability import Capability
from ..core.origin_backoff import OriginBackoff
from ..services import Services
from .endpoint import FilesEndpoint


def setup(services: Services) -> Capability:
    endpoint = FilesEndpoint(
        services.accounts,
        services.origin,
        OriginBackoff(services.accounts, services.clock),
        services.links,
        services.settings.file_size_limit,
    )
    return Capability(routes=endpoint.routes())
