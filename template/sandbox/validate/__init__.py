"""Checks payloads against the wire contract and says where each is wrong, by which rule, and what to do about it."""
