"""The posts of the demonstration origin."""

from typing import Any

from sandbox.reviews.api import post_json
from sandbox.reviews.review_site import Post, ReviewSite


def post_of(site: ReviewSite, post_id: str) -> Post:
    post = site.post(post_id)
    assert post
    return post


def items_of(site: ReviewSite) -> list[dict[str, Any]]:
    """Every post of the first business, as the origin tells of it."""
    posts = site.posts(site.businesses[0])
    return [post_json(post, site.review_of(post)) for post in posts]
