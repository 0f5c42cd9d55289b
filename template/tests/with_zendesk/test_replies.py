"""The project's own service, as Zendesk pulls it and sends it agents' replies."""

import pytest

from sandbox.zendesk import Fault, Ticket, Zendesk
from tests.doubles import ScriptedOrigin


@pytest.fixture
async def ticket(installed: Zendesk, origin: ScriptedOrigin) -> Ticket:
    origin.write("post-1")
    await installed.pull(await installed.add_account("Main", site="main", password="right"))
    return installed.tickets[0]


async def test_a_reply_reaches_the_origin_once(
    installed: Zendesk, origin: ScriptedOrigin, ticket: Ticket
) -> None:
    """Although the answer is lost, and Zendesk sends it again (SVC-48)."""
    installed.faults.add("channelback", Fault(dropped="after"))
    comment = await installed.reply(ticket, "Thank you!")
    assert comment.error is None
    assert comment.external_id == "reply-1"
    assert [reply.text for reply in origin.replies] == ["Thank you!"]
    assert len(installed.log.of("channelback")) == 2


async def test_a_reply_that_the_origin_does_not_take_is_shown_as_failed(
    installed: Zendesk, origin: ScriptedOrigin, ticket: Ticket
) -> None:
    origin.trouble = RuntimeError("out of order")
    comment = await installed.reply(ticket, "Thank you!")
    assert comment.error is not None
    assert comment.external_id is None
