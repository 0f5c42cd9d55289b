"""The project's own service, as an agent's browser opens the original of a comment."""

from sandbox.zendesk import Zendesk
from tests.doubles import ScriptedOrigin


async def test_a_comments_link_leads_to_the_origin(installed: Zendesk, origin: ScriptedOrigin) -> None:
    origin.write("post-1")
    await installed.pull(await installed.add_account("Main", site="main", password="right"))
    answer = await installed.click_through(installed.tickets[0].comments[0])
    assert answer.headers["location"] == "https://origin.example/posts/post-1"
