"""The project's own service, as Zendesk pulls it."""

from sandbox.zendesk import Zendesk
from tests.doubles import ScriptedOrigin


async def test_what_customers_write_becomes_tickets(installed: Zendesk, origin: ScriptedOrigin) -> None:
    origin.write("post-1")
    origin.files["photo"] = b"content"
    origin.write("post-2", seconds=1, parent_id="post-1", files=["photo"])
    account = await installed.add_account("Main", site="main", password="right")
    await installed.advance(300)
    (ticket,) = installed.tickets
    assert [comment.external_id for comment in ticket.comments] == ["post-1", "post-2"]
    assert [(file.name, file.content) for file in ticket.comments[1].files] == [("photo.txt", b"content")]
    origin.write("post-3", seconds=2)
    pull = await installed.pull(account)
    assert [result.external_id for result in pull.results if result.code == "success"] == ["post-3"]
