"""`sandbox/zendesk/imports.py`: resources become tickets and comments."""

from typing import Any

import pytest
from sandbox.zendesk import Account, Comment, Fault, Ticket, Zendesk
from scripted_integration import ScriptedIntegration, resource


@pytest.fixture
def pulled(integration: ScriptedIntegration, zendesk: Zendesk, account: Account) -> Any:
    """Pull these resources and give all tickets."""

    async def pull(*resources: dict[str, Any]) -> list[Ticket]:
        integration.posts = list(resources)
        await zendesk.pull(account)
        return zendesk.tickets

    return pull


def kinds(integration: ScriptedIntegration) -> list[dict[str, Any]]:
    return [
        entry
        for event in integration.events
        if event["type_id"] == "resources_created_from_external_ids"
        for entry in event["data"]["resource_events"]
    ]


async def test_resources_of_one_thread_share_a_ticket(integration: ScriptedIntegration, pulled: Any) -> None:
    """ZEN-25: the first use of a key opens the ticket."""
    tickets = await pulled(
        resource("a", thread_id="one"), resource("b", thread_id="two"), resource("c", thread_id="one")
    )
    assert [[comment.external_id for comment in ticket.comments] for ticket in tickets] == [["a", "c"], ["b"]]
    assert [entry["type_id"] for entry in kinds(integration)] == [
        "comment_on_new_ticket",
        "comment_on_new_ticket",
        "comment_on_existing_ticket",
    ]


async def test_an_answer_joins_its_parents_ticket(pulled: Any) -> None:
    """ZEN-26: at any depth."""
    (ticket,) = await pulled(resource("a"), resource("b", parent_id="a"), resource("c", parent_id="b"))
    assert [comment.external_id for comment in ticket.comments] == ["a", "b", "c"]


async def test_a_reply_can_be_a_parent(zendesk: Zendesk, pulled: Any) -> None:
    """ZEN-26: its id came with the channelback."""
    (ticket,) = await pulled(resource("a"))
    await zendesk.reply(ticket, "Thank you!")
    assert len(await pulled(resource("b", parent_id="reply-1"))) == 1
    assert [comment.external_id for comment in ticket.comments] == ["a", "reply-1", "b"]


async def test_a_resource_alone_opens_a_ticket_under_its_own_id(pulled: Any) -> None:
    """ZEN-27: others can join it by that key."""
    tickets = await pulled(resource("a"), resource("b"), resource("c", thread_id="a"))
    assert [ticket.thread_key for ticket in tickets] == ["a", "b"]
    assert [comment.external_id for comment in tickets[0].comments] == ["a", "c"]


async def test_both_ways_of_threading_are_rejected(zendesk: Zendesk, pulled: Any) -> None:
    """ZEN-28: the resource alone is left out."""
    tickets = await pulled(resource("a"), resource("b", parent_id="a", thread_id="a"), resource("c"))
    assert [ticket.thread_key for ticket in tickets] == ["a", "c"]
    assert "SVC-38" in zendesk.log.of("pull")[0].rules


@pytest.mark.parametrize("key", ["thread_id", "parent_id"])
async def test_a_closed_ticket_gets_a_follow_up(
    integration: ScriptedIntegration, pulled: Any, key: str
) -> None:
    """ZEN-29: which then takes what comes for the thread."""
    (closed,) = await pulled(resource("a"))
    closed.status = "closed"
    tickets = await pulled(resource("b", **{key: "a"}), resource("c", **{key: "a"}))
    assert [comment.external_id for comment in tickets[1].comments] == ["b", "c"]
    assert tickets[1].follow_up_of == closed.id
    first, second = kinds(integration)[1:]
    assert first["type_id"] == "comment_on_follow_up_ticket"
    assert (first["ticket_id"], first["follow_up_ticket_id"]) == (closed.id, tickets[1].id)
    assert (second["type_id"], second["ticket_id"]) == ("comment_on_existing_ticket", tickets[1].id)


async def test_a_chat_gets_a_plain_new_ticket_instead(
    integration: ScriptedIntegration, zendesk: Zendesk, pulled: Any
) -> None:
    """ZEN-29: with `create_followup_tickets` false."""
    integration.manifest["create_followup_tickets"] = False
    await zendesk.refresh_manifest()
    (closed,) = await pulled(resource("a"))
    closed.status = "closed"
    tickets = await pulled(resource("b", thread_id="a"))
    assert tickets[1].follow_up_of is None
    assert kinds(integration)[-1]["type_id"] == "comment_on_new_ticket"


@pytest.mark.parametrize(("reopens", "status"), [(True, "open"), (False, "solved")])
async def test_whether_a_solved_ticket_reopens_is_a_setting(
    zendesk: Zendesk, pulled: Any, reopens: bool, status: str
) -> None:
    zendesk.settings.solved_tickets_reopen = reopens
    (ticket,) = await pulled(resource("a"))
    ticket.status = "solved"
    assert len(await pulled(resource("b", parent_id="a"))) == 1
    assert ticket.status == status


async def test_fields_count_only_when_a_ticket_opens(pulled: Any) -> None:
    """ZEN-30."""
    first = [
        {"id": "subject", "value": "Late parcel"},
        {"id": 42, "value": ["a"]},
        {"id": "status", "value": "open"},
    ]
    later = [{"id": "subject", "value": "Other"}]
    (ticket,) = await pulled(resource("a", fields=first), resource("b", parent_id="a", fields=later))
    assert (ticket.subject, ticket.status, ticket.fields["42"]) == ("Late parcel", "open", ["a"])


async def test_without_a_subject_the_text_makes_one(pulled: Any) -> None:
    (ticket,) = await pulled(resource("a", message="Hello\n  there " + "x" * 500))
    assert ticket.subject.startswith("Hello there xxx")
    assert len(ticket.subject) == 150


async def test_an_internal_note_is_private(pulled: Any) -> None:
    """ZEN-31."""
    (ticket,) = await pulled(resource("a"), resource("b", parent_id="a", internal_note=True))
    assert [comment.public for comment in ticket.comments] == [True, False]


async def test_an_author_is_one_user(zendesk: Zendesk, pulled: Any) -> None:
    """ZEN-32: named after the id where no name is given, and known by it."""
    named = {"external_id": "bob", "name": "Bob", "image_url": "https://x.test/bob.png"}
    tickets = await pulled(
        resource("a"), resource("b", author=named), resource("c", author={"external_id": "bob"})
    )
    ada, bob = zendesk.state.users
    assert (ada.name, bob.name, bob.image_url) == ("ada", "Bob", "https://x.test/bob.png")
    assert [ticket.requester_id for ticket in tickets] == [ada.id, bob.id, bob.id]


@pytest.mark.parametrize(("follows", "name"), [(False, "Bob"), (True, "Robert")])
async def test_whether_a_user_takes_a_new_name_is_a_setting(
    zendesk: Zendesk, pulled: Any, follows: bool, name: str
) -> None:
    """ZEN-32."""
    zendesk.settings.users_follow_their_author = follows
    await pulled(
        resource("a", author={"external_id": "bob", "name": "Bob"}),
        resource("b", author={"external_id": "bob", "name": "Robert"}),
    )
    assert zendesk.state.users[0].name == name


async def test_a_pulled_answer_to_nothing_known_opens_a_ticket(pulled: Any) -> None:
    """ZEN-33."""
    (ticket,) = await pulled(resource("a", parent_id="unknown"))
    assert ticket.thread_key == "a"


async def test_a_strict_zendesk_leaves_it_out(zendesk: Zendesk, pulled: Any) -> None:
    """ZEN-33."""
    zendesk.settings.unknown_parent_fails_pull = True
    assert await pulled(resource("a", parent_id="unknown")) == []
    assert "unknown" in str(zendesk.log.of("pull")[0].remarks[-1])


async def test_a_ticket_says_where_it_came_from(zendesk: Zendesk, pulled: Any) -> None:
    """ZEN-34."""
    (ticket,) = await pulled(resource("a"))
    assert zendesk.via(ticket) == {
        "channel": "any_channel",
        "source": {
            "from": {
                "service_info": {
                    "supports_channelback": True,
                    "supports_clickthrough": True,
                    "registered_integration_service_name": "Scripted",
                    "registered_integration_service_external_id": "scripted",
                    "integration_service_instance_name": "Main",
                }
            }
        },
    }


async def test_a_ticket_says_what_its_service_can_do(
    integration: ScriptedIntegration, zendesk: Zendesk, pulled: Any
) -> None:
    """ZEN-34: as the manifest is now."""
    (ticket,) = await pulled(resource("a"))
    for key in ("channelback_url", "clickthrough_url"):
        del integration.urls[key]
    integration.manifest["name"] = "Renamed"
    await zendesk.refresh_manifest()
    info = zendesk.via(ticket)["source"]["from"]["service_info"]
    assert (info["supports_channelback"], info["supports_clickthrough"]) == (False, False)
    assert info["registered_integration_service_name"] == "Renamed"


def files(comment: Comment) -> list[tuple[str, str, bytes]]:
    return [(file.name, file.content_type, file.content) for file in comment.files]


async def test_files_are_fetched_by_post(integration: ScriptedIntegration, pulled: Any) -> None:
    """ZEN-35: from URLs that lead from the manifest, and named after their path."""
    urls = ["files/a%20b.txt?s=1", "https://integration.test/channel/files/c.txt"]
    (ticket,) = await pulled(resource("a", file_urls=urls))
    requests = [request[:2] for request in integration.requests if "/files/" in request[1]]
    assert requests == [("POST", "/channel/files/a b.txt?s=1"), ("POST", "/channel/files/c.txt")]
    assert files(ticket.comments[0]) == [
        ("a b.txt", "text/plain; charset=utf-8", b"file files/a b.txt"),
        ("c.txt", "text/plain; charset=utf-8", b"file files/c.txt"),
    ]


async def test_a_file_that_refuses_post_is_left_out(zendesk: Zendesk, pulled: Any) -> None:
    """ZEN-35: the comment is made all the same, and the log says why."""
    zendesk.faults.add("file", Fault(status=405))
    (ticket,) = await pulled(resource("a", file_urls=["files/a.txt", "files/b.txt"]))
    assert [name for name, _, _ in files(ticket.comments[0])] == ["b.txt"]
    assert "405" in str(ticket.comments[0].error)
    assert zendesk.log.of("file")[0].rules == {"SVC-43"}


async def test_a_mode_tries_get_as_well(
    integration: ScriptedIntegration, zendesk: Zendesk, pulled: Any
) -> None:
    """ZEN-35: the file arrives, and the log shows the difference."""
    zendesk.settings.file_methods = ("POST", "GET")
    zendesk.faults.add("file", Fault(status=405))
    (ticket,) = await pulled(resource("a", file_urls=["files/a.txt"]))
    assert len(ticket.comments[0].files) == 1
    assert [(exchange.method, exchange.rules) for exchange in zendesk.log.of("file")] == [
        ("POST", {"SVC-43"}),
        ("GET", set()),
    ]


async def test_display_info_is_found_by_its_type(pulled: Any) -> None:
    """ZEN-36."""
    info = [{"type": "urn:x", "data": {"stars": 4}}, {"type": "urn:y", "data": {}}]
    (ticket,) = await pulled(resource("a", display_info=info, html_message="<b>a</b>"))
    assert ticket.comments[0].display_info == {"urn:x": {"stars": 4}, "urn:y": {}}
    assert ticket.comments[0].html_body == "<b>a</b>"
