"""What Zendesk does where nothing documents it: every choice has a name, a value and a reason."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, NonNegativeInt, PositiveInt

RETURN_PATH = "/zendesk/channels/integration_service_instances/editor_finalizer"

Seconds = Annotated[float, Field(ge=0, le=1e9)]
Refusal = Annotated[int, Field(ge=400, le=599)]
"""The status of an error."""


@dataclass
class Settings:
    """The numbers of the protocol's rules stand beside what they leave open. Times are in seconds."""

    __pydantic_config__ = ConfigDict(use_attribute_docstrings=True)

    subdomain: str = "acme"
    """The Zendesk account; services learn it with the admin form, and from events."""
    address: str = "https://acme.zendesk.com"
    """Where this Zendesk is for browsers and the service; another one goes into the service's `ZENDESK_URL`."""
    locale: str = "en-US"
    """The admin's language (ZEN-08)."""

    allow_loopback_http: bool = False
    """Take `http` addresses of this machine for https ones (ZEN-02)."""
    published_schemas: bool = True
    """Only remark on what the documentation forbids and Zendesk's published schemas let pass; else refuse it."""
    manifest_poll_interval: Seconds = 3 * 3600
    """Hours pass before a changed manifest is used (ZEN-03)."""

    pull_interval: Seconds = 120
    """Between two pulls of an account (ZEN-14)."""
    pull_timeout: Seconds = 60
    """A pull that takes longer has failed (ZEN-22)."""
    failures_before_deactivation: NonNegativeInt = 20
    """Failed pulls in a row; 0 never deactivates (ZEN-23)."""

    external_ids_are_per_account: bool = True
    """Whether two accounts may import the same id; else the second is a duplicate (ZEN-20)."""
    unknown_parent_fails_pull: bool = False
    """False opens a ticket for a pulled post whose parent is unknown (ZEN-33)."""
    unknown_parent_halts_push: bool = False
    """Whether the posts behind one with an unknown parent are tried (ZEN-50)."""
    solved_tickets_reopen: bool = True
    """Whether a customer's comment reopens a solved ticket."""
    users_follow_their_author: bool = False
    """Whether a later post changes the name and the picture of a user who exists already (ZEN-32)."""
    file_methods: tuple[str, ...] = ("POST",)
    """With GET behind POST, a file that refuses POST still arrives (ZEN-35)."""
    file_timeout: Seconds = 30
    """A file that takes longer is left out of its comment."""

    channelback_timeout: Seconds = 60
    """A try of a reply that takes longer is repeated."""
    channelback_tries: PositiveInt = 3
    """How often a reply is sent before it has failed."""
    channelback_retry_after: Seconds = 10
    """The pause between two tries."""
    channelback_statuses_to_repeat: tuple[int, ...] = (401, 408, 429, 500, 502, 503, 504)
    """What is answered with any other status is a failure at once."""
    channelback_takes_empty_id: bool = False
    """The first of the two published schemas lets the reply's id be empty (ZEN-43)."""

    edit_voids_old_token: bool = True
    """A token is minted whenever the admin form opens; whether the one before lives on (ZEN-10)."""
    token_lifetime: Seconds | None = None
    """Push tokens expire after it; empty lets them live for ever (ZEN-48)."""
    unknown_token_status: Refusal = 401
    """For a token that is unknown, has expired or belongs to another account (ZEN-48)."""
    unknown_reported_id_status: Refusal = 404
    """For a failed reply whose id no channelback gave (ZEN-53)."""
    inactive_account_status: Refusal | None = 403
    """For a push to an account that was deactivated; without one it is imported."""
    requests_per_minute: PositiveInt | None = None
    """More are answered with 429 and `Retry-After`; 700 on the Enterprise plan."""
    attachments_need_token: bool = True
    """False serves agents' files to anyone who has the address, as to integrations without a push client (ZEN-45)."""
    attachments_lead_to_sign_in: bool = False
    """A file without its token is answered with a redirect to where agents sign in, and not with 401 (ZEN-45)."""

    event_batch_size: PositiveInt = 100
    """At most so many events come in one request."""
    event_timeout: Seconds = 30
    """Events that take longer are lost."""
    hold_events: bool = False
    """Keep events back until they are flushed, so that they come in one batch (ZEN-55)."""
    proxy_as_json: bool = False
    """Send an app's call as JSON; nothing says whether it is a form (ZEN-58)."""
    proxy_timeout: Seconds = 30
    """An app's call that takes longer is answered with 504."""
    admin_timeout: Seconds = 30
    """For the service's pages where no browser opens them."""

    framework_client_from_zendesk: bool = False
    """Apps load the framework's client from its public address, which needs a network, and not the sandbox's own."""

    zis_person_is_admin: bool = True
    """False calls Integration Services from an agent's browser, which Zendesk refuses."""
    zis_upload_uninstalls: bool = True
    """Whether an uploaded bundle's job specs start nothing until they are installed again."""
    zis_names_taken: tuple[str, ...] = ()
    """Integrations of other accounts, whose names nobody can register here."""

    exchanges_kept: PositiveInt = 2000
    """The log forgets the oldest when there are more."""

    @property
    def return_url(self) -> str:
        return self.address + RETURN_PATH
