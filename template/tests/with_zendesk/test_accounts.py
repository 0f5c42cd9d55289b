"""Accounts of the project's own service, as Zendesk's admins use them."""

import pytest

from sandbox.zendesk import HandshakeError, Zendesk


async def test_an_account_is_added_and_edited(installed: Zendesk) -> None:
    account = await installed.add_account("Main", site="main", password="right")
    assert account.metadata
    await installed.edit_account(account, name="Second", password="right")
    assert [each.name for each in installed.accounts] == ["Second"]


async def test_a_wrong_password_adds_nothing(installed: Zendesk) -> None:
    with pytest.raises(HandshakeError, match=r"This password is wrong\."):
        await installed.add_account("Main", site="main", password="wrong")
    assert installed.accounts == []


async def test_a_channel_is_removed(installed: Zendesk) -> None:
    await installed.add_account("Main", site="main", password="right")
    await installed.uninstall()
    assert installed.accounts == []
    assert installed.state.manifest is None
