"""Zendesk calls us: one module per URL of the manifest, named as in the manifest."""
