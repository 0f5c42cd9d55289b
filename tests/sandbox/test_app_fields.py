"""`sandbox/zendesk/zaf/fields.py`: what apps read of a ticket."""

import pytest
from sandbox.zendesk import Account, Zendesk
from sandbox.zendesk.zaf.fields import NotThereError, fields, value_at
from scripted_integration import ScriptedIntegration, resource


async def test_an_app_reads_what_the_service_told_apps_of_a_post(
    zendesk: Zendesk, account: Account, integration: ScriptedIntegration
) -> None:
    """ZEN-36: as Zendesk's own sample does, by the place of a comment."""
    told = [{"type": "com.acme.post", "data": {"id": "post-1"}}]
    integration.posts = [resource("post-1", display_info=told), resource("post-2", parent_id="post-1")]
    await zendesk.pull(account)
    known = fields(zendesk.state, zendesk.settings, zendesk.tickets[0])
    first = value_at(known, "ticket.comments.0.channelDisplayInfo")
    assert first == {"com.acme.post": {"id": "post-1"}}
    assert value_at(known, "ticket.comments.1.channelDisplayInfo") == {}
    for path in ("ticket.comments.2", "ticket.comments.-1", "ticket.comments.x", "ticket.id.0"):
        with pytest.raises(NotThereError):
            value_at(known, path)
