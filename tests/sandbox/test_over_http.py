"""Zendesk and an integration that meet over HTTP, as they do when a person looks on."""

import socket

import httpx2
from sandbox.serving import serving
from sandbox.zendesk import Fault, Settings, Zendesk
from scripted_integration import ScriptedIntegration, resource


async def test_an_integration_anywhere_is_installed_pulled_and_replied_to(
    integration: ScriptedIntegration,
) -> None:
    integration.manifest["push_client_id"] = "zdg-scripted"
    integration.posts = [resource("post-1", file_urls=["files/a.txt"])]
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/channel/manifest"
    zendesk = Zendesk(url, settings=Settings(allow_loopback_http=True, channelback_retry_after=0))
    async with serving(integration.app, listener), zendesk.serving() as address, zendesk:
        account = await zendesk.add_account("Main")
        await zendesk.pull(account)
        zendesk.faults.add("channelback", Fault(dropped="after"))
        reply = await zendesk.reply(zendesk.tickets[0], "Hello")
        opened = integration.opened[0]
        async with httpx2.AsyncClient(trust_env=False) as service:
            answer = await service.post(
                f"{address}/api/v2/any_channel/validate_token",
                json={"instance_push_id": opened["instance_push_id"]},
                headers={"authorization": f"Bearer {opened['zendesk_access_token']}"},
            )
    assert opened["return_url"].startswith(address)
    assert zendesk.tickets[0].comments[0].files[0].content == b"file files/a.txt"
    assert reply.external_id == "reply-2"
    assert answer.status_code == 200
