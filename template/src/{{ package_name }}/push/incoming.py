"""Incoming: what the origin sends by webhooks, and what they have fetched or renewed, built together."""

from dataclasses import dataclass

from ..core.conversion import Conversion
from ..services import Services
from .credentials import CredentialStore
from .intake import Intake
from .lookups import Lookups
from .outbox import Outbox
from .subscriptions import Subscriptions
from .webhook import WebhookEndpoint


@dataclass(frozen=True, slots=True)
class Incoming:
    webhook: WebhookEndpoint
    lookups: Lookups
    subscriptions: Subscriptions


def incoming_for(services: Services, credential_store: CredentialStore, outbox: Outbox) -> Incoming:
    accounts, origin, runner = services.accounts, services.origin, services.runner
    intake = Intake(Conversion(origin, services.links.maker), outbox, runner)
    lookups = Lookups(services.database, accounts, origin, intake)
    subscriptions = Subscriptions(
        services.database, accounts, credential_store, origin, services.settings.public_url
    )
    accounts.before_removal.append(subscriptions.end)
    for job in (lookups, subscriptions):
        runner.register(job)
    webhook = WebhookEndpoint(
        accounts=accounts,
        credential_store=credential_store,
        origin=origin,
        intake=intake,
        lookups=lookups,
        runner=runner,
        metrics=services.metrics,
        size_limit=services.settings.webhook_size_limit,
    )
    return Incoming(webhook, lookups, subscriptions)
