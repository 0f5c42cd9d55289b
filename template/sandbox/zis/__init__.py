"""Zendesk Integration Services: what bundles may say, and how their flows run."""
