"""The project's own service, as Zendesk sends it agents' replies that are posted in the background (SVC-51)."""

import asyncio
from collections.abc import Callable

import pytest

from sandbox.zendesk import Fault, Ticket, Zendesk
from tests.doubles import ScriptedOrigin


@pytest.fixture
async def ticket(installed: Zendesk, origin: ScriptedOrigin) -> Ticket:
    origin.write("post-1")
    await installed.pull(await installed.add_account("Main", site="main", password="right"))
    return installed.tickets[0]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_reply_is_answered_at_once_and_reaches_the_origin_once(
    installed: Zendesk, origin: ScriptedOrigin, ticket: Ticket
) -> None:
    """Although the answer is lost, and Zendesk sends it again (SVC-48)."""
    installed.faults.add("channelback", Fault(dropped="after"))
    comment = await installed.reply(ticket, "Thank you!")
    assert comment.error is None
    assert (comment.external_id or "").startswith("reply:")
    await until(lambda: origin.replies)
    assert [reply.text for reply in origin.replies] == ["Thank you!"]
    assert len(installed.log.of("channelback")) == 2
