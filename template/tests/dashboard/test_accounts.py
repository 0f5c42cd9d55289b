"""`dashboard/accounts.py`: an account that Zendesk has stopped using shows why."""

import pytest

from tests.dashboard.page import dashboard
from tests.zendesk_driver import ZendeskDriver


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ({"deactivated_by": "api"}, "By api."),
        ({"deactivated_by": "error", "deactivating_error": "No <answer>"}, "By error. No <answer>"),
    ],
)
async def test_a_deactivated_account_says_so_until_it_is_activated(
    zendesk: ZendeskDriver, reason: dict[str, str], shown: str
) -> None:
    """SVC-54"""
    metadata = await zendesk.add_account("Main")
    await zendesk.add_account("Other")

    await zendesk.send_events(zendesk.event("deactivate_integration_instance", metadata=metadata, **reason))
    deactivated = (await dashboard(zendesk))["Accounts"]
    await zendesk.send_events(zendesk.event("activate_integration_instance", metadata=metadata))
    activated = (await dashboard(zendesk))["Accounts"]

    assert [(row["Account"], row["Status"], row["Detail"]) for row in deactivated] == [
        ("Main", "deactivated", shown),
        ("Other", "not used by Zendesk yet", ""),
    ]
    assert (activated[0]["Status"], activated[0]["Detail"]) == ("in use", "")


async def test_a_destroyed_account_is_not_shown(zendesk: ZendeskDriver) -> None:
    """SVC-55"""
    metadata = await zendesk.add_account("Main")

    await zendesk.send_events(zendesk.event("destroy_integration_instance", metadata=metadata))

    assert (await dashboard(zendesk))["Accounts"] == []
