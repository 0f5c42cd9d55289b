"""A playground on this machine: the service between Zendesk and its origin."""
