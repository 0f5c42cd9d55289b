"""The site as an OAuth 2 provider: businesses let other services in without giving away their API key."""

from .provider import Client, Provider, Switches
from .routes import OAuthRoutes

__all__ = ["Client", "OAuthRoutes", "Provider", "Switches"]
