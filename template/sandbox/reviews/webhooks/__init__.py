"""Webhooks: every new post is sent to whoever registered for it, signed, in order, and again until it has arrived."""

from .routes import TellsOfNewPosts, WebhookRoutes
from .sending import Webhooks

__all__ = ["TellsOfNewPosts", "WebhookRoutes", "Webhooks"]
