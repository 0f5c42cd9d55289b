"""The review site as the origin that a new service reads."""

import time

from ..origins import Demonstration
from .app import create_app
from .review_site import ReviewSite


def demonstration() -> Demonstration:
    # The site forgets everything when it stops, and the service does not: no id may come back for another post.
    site = ReviewSite(numbers_from=int(time.time()))
    accounts = [f"business {business.id}, API key {business.api_key}" for business in site.businesses]
    return Demonstration("Review site", create_app(site), accounts)
