"""The project's own service, as it listens to the origin."""

from sandbox.zendesk import Zendesk
from tests.doubles import ScriptedOrigin


async def test_what_is_heard_becomes_a_ticket(installed: Zendesk, origin: ScriptedOrigin) -> None:
    account = await installed.add_account("Main", site="main", password="right")

    origin.news.put_nowait([origin.write("post-1")])

    await installed.changes.until(lambda: bool(installed.tickets))
    assert installed.tickets[0].account_id == account.id
    assert installed.tickets[0].comments[0].external_id == "post-1"
