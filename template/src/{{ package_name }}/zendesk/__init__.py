"""We call Zendesk."""
