"""No attack is lost from the tables unseen."""

from __future__ import annotations

import test_addresses_of_zendesk as addresses
import test_callers as callers
import test_canaries as canaries
import test_files_of_agents as files
import test_links as links
import test_scripts_in_pages as scripts
import test_smuggling as smuggling
import test_strangers_at_the_sandbox as strangers


def test_the_tables_are_whole() -> None:
    assert len(addresses.RETURN_URLS) == 79
    assert len(addresses.SUBDOMAINS) == 33
    assert len([*canaries.TYPED, *canaries.MADE]) * len(canaries.WHERE) == 36
    assert len(callers.FORGED_METADATA) * 3 == 66
    assert len(callers.FOREIGN_EVENTS) == 28
    assert len(callers.FILES) == 21
    assert len(callers.CREDENTIALS) * 6 == 102
    assert len(callers.WEBHOOKS) == 19
    assert len(links.ADDRESSES) == 21
    assert len(links.HEADERS) * len(links.PAGES) == 42
    assert len(files.FILE_URLS) == 21
    assert len(files.ANSWERS) == 17
    assert len(scripts.PAYLOADS) == 14
    assert len(smuggling.VECTORS) == 19
    reading, changing = strangers.HOSTS, strangers.SENDERS
    assert len(reading) * len(strangers.READ) + len(changing) * len(strangers.CHANGED) == 38
