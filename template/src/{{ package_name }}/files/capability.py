"""files: Zendesk fetches the files of posts through signed links."""

from ..core.capability import Capability
from ..core.origin_backoff import OriginBackoff
from ..core.outbound import Purpose
from ..services import Services
from .endpoint import FilesEndpoint

SECONDS = 120
"""How long a file may take, at whatever speed Zendesk reads it."""


def setup(services: Services) -> Capability:
    endpoint = FilesEndpoint(
        services.accounts,
        services.origin,
        OriginBackoff(services.accounts, services.clock),
        services.links,
        services.settings.file_size_limit,
        Purpose("files of posts", services.settings.file_size_limit, SECONDS),
    )
    return Capability(routes=endpoint.routes())
