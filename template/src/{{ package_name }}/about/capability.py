"""about: a page that tells admins what the integration does."""

from ..core.capability import Capability
from ..services import Services
from .endpoint import AboutEndpoint


def setup(services: Services) -> Capability:
    return Capability(
        routes=AboutEndpoint(services.pages).routes(), manifest_urls={"about_url": "/channel/about"}
    )
