"""`oauth/dashboard.py`: who has signed in for each account, and whether that still holds."""

from sandbox.reviews import Provider
from tests.dashboard.page import dashboard
from tests.movable_clock import MovableClock
from tests.oauth.window import Window
from tests.zendesk_driver import HtmlForm, ZendeskDriver


async def test_the_state_of_each_connection_is_shown(
    zendesk: ZendeskDriver, window: Window, provider: Provider, clock: MovableClock
) -> None:
    form = await zendesk.open_admin_ui()
    await window.connect(form)
    typed = {"name": "Main", "site": "main", "password": "right"}
    metadata = HtmlForm((await zendesk.submit(form, **typed)).text).fields["metadata"]
    (row,) = (await dashboard(zendesk))["Connections"]
    assert (row["Status"], row["Connected as"]) == ("connected", "Corner Café")

    provider.switches.refuse_refresh = True
    clock.move(hours=2)
    edited = await zendesk.open_admin_ui(metadata=metadata)
    await zendesk.submit(edited, **typed)

    (row,) = (await dashboard(zendesk))["Connections"]
    assert row["Status"] == "needs re-authorisation"
    assert "connect it and save it" in row["Detail"]
