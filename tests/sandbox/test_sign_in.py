"""A service whose admins sign in, between Zendesk and the demonstration origin, without a browser."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest
from sandbox.browser import at_localhost, listening
from sandbox.reviews import Provider, ReviewSite, create_app
from sandbox.serving import serving
from sandbox.zendesk.admin import HandshakeError
from sandbox.zendesk.har import har
from sandbox.zendesk.windows import WindowError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from projects import Project, Template
    from sandbox.zendesk import Zendesk

CONNECTING = ("Allow as Corner Café", "Connect")


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    capabilities = ["pull", "channelback", "oauth"]
    answers = {"origin_name": "Acme Reviews", "project_slug": "signing", "capabilities": capabilities}
    return template.copy(tmp_path_factory.mktemp("signing") / "project", answers)


@dataclass
class Scene:
    zendesk: Zendesk
    provider: Provider
    site: ReviewSite


@pytest.fixture
async def scene(project: Project, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("service")
    sys.path.insert(0, str(project.installed(folder / "src")))
    app_of, origins, settings = (
        __import__(f"{project.package}.{name}", fromlist=["*"]) for name in ("app", "origin", "settings")
    )
    site, provider = ReviewSite(), Provider()
    (listener, url), (site_listener, site_url) = listening("127.0.0.1"), listening("127.0.0.1")
    async with (
        serving(create_app(site, provider), site_listener),
        at_localhost(url) as zendesk,
        httpx2.AsyncClient() as http,
    ):
        values: dict[str, Any] = {
            "public_url": url,
            "zendesk_url": zendesk.settings.address,
            "database_url": f"sqlite:///{folder}/service.db",
            "inner_hosts": urlsplit(site_url).netloc,
            "signing_keys": settings.new_signing_key(),
            "sealing_keys": settings.new_sealing_key(),
            "oauth_client_id": provider.client.id,
            "oauth_client_secret": provider.client.secret,
        }
        origin = origins.Origin(http, origins.OriginSettings(url=site_url))
        service = app_of.create_app(settings.Settings.model_validate(values), origin)
        async with service.router.lifespan_context(service), serving(service, listener), zendesk:
            yield Scene(zendesk, provider, site)
    sys.path.remove(str(folder / "src"))


async def test_an_admin_connects_and_posts_go_both_ways(scene: Scene) -> None:
    """Nothing of the provider's stands in what Zendesk has logged."""
    zendesk = scene.zendesk
    zendesk.admin.pressed = CONNECTING

    account = await zendesk.add_account("Corner Café", business="corner-cafe")
    await zendesk.pull(account)
    assert len(zendesk.tickets) == 3
    (grant,) = scene.provider.grants.values()
    first = grant.access_token
    scene.provider.expire(grant.id)
    await zendesk.reply(zendesk.tickets[0], "Thank you!")

    assert grant.access_token != first
    posts = scene.site.posts(scene.site.businesses[0])
    assert [post.text for post in posts if post.author.kind == "business"] == ["Thank you!"]
    logged = json.dumps(har(zendesk.log))
    assert [token for token in (first, grant.access_token, grant.refresh_token) if token in logged] == []
    assert scene.provider.client.secret not in logged


async def test_a_form_that_nobody_connects_is_not_saved(scene: Scene) -> None:
    with pytest.raises(HandshakeError, match="Connect to Acme Reviews first"):
        await scene.zendesk.add_account("Corner Café", business="corner-cafe")


async def test_a_window_without_the_button_is_told(scene: Scene) -> None:
    scene.zendesk.admin.pressed = ("Allow as Nobody",)

    with pytest.raises(WindowError, match="no button 'Allow as Nobody'"):
        await scene.zendesk.add_account("Corner Café", business="corner-cafe")


async def test_who_connects_as_another_business_is_told(scene: Scene) -> None:
    scene.zendesk.admin.pressed = ("Allow as Book Nook", "Connect")

    with pytest.raises(HandshakeError, match="You have not connected as this business"):
        await scene.zendesk.add_account("Corner Café", business="corner-cafe")
