"""The form's second step, as Zendesk's admins go through it."""

import pytest

from sandbox.zendesk import HandshakeError, Zendesk
from tests.choices.offering_origin import OfferingOrigin


@pytest.fixture
def origin() -> OfferingOrigin:
    return OfferingOrigin()


async def test_an_account_is_added_and_edited_in_two_steps(
    installed: Zendesk, origin: OfferingOrigin
) -> None:
    """SVC-17, SVC-20."""
    name = 'Q&amp;A <b> "quoted"'
    account = await installed.add_account(
        name, site="main", password="right-horse", room="r2", topics=["t1", "t3"]
    )
    added = origin.last_verified
    await installed.edit_account(account, site="second", topics="t2")
    edited = origin.last_verified

    assert [each.name for each in installed.accounts] == [name]
    assert (added.site, added.room, added.topics) == ("main", "r2", {"t1", "t3"})
    assert (edited.site, edited.room, edited.topics) == ("second", "r2", {"t2"})


async def test_what_is_not_offered_is_not_chosen(installed: Zendesk) -> None:
    with pytest.raises(HandshakeError, match="offers no such choice"):
        await installed.add_account("Main", site="main", password="right-horse", room="r9")
    with pytest.raises(HandshakeError, match="Choose one of the options"):
        await installed.add_account("Main", site="main", password="right-horse")
