"""The review site as the origin that a new service reads."""

import time

from pydantic_settings import BaseSettings, SettingsConfigDict

from ..live_reload import CODE, SETTINGS
from ..origins import Demonstration
from .app import create_app
from .oauth import Client, Provider
from .review_site import ReviewSite


class _ClientSettings(BaseSettings):
    """The client that the service is at the site's OAuth provider: its own, if somebody has told it one."""

    model_config = SettingsConfigDict(
        env_prefix="OAUTH_CLIENT_", env_file=SETTINGS, env_ignore_empty=True, extra="ignore"
    )

    id: str = Client().id
    secret: str = Client().secret


def demonstration() -> Demonstration:
    # The site forgets everything when it stops, and the service does not: no id may come back for another post.
    site = ReviewSite(numbers_from=int(time.time()))
    client = _ClientSettings()
    signs_in = any(CODE.glob("*/oauth/capability.py"))
    accounts = [
        f"business {business.id}, {f'connected as {business.name}' if signs_in else f'API key {business.api_key}'}"
        for business in site.businesses
    ]
    return Demonstration(
        "Review site",
        create_app(site, Provider(Client(client.id, client.secret))),
        accounts,
        {"OAUTH_CLIENT_ID": client.id, "OAUTH_CLIENT_SECRET": client.secret},
    )
