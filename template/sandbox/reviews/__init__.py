"""The demonstration origin: a review site with an API for businesses and pages for their customers."""

from .app import create_app
from .oauth import Client, Provider
from .review_site import FILE_SIZE_LIMIT, TEXT_LIMIT, Author, Business, Post, ReviewSite, StoredFile

__all__ = [
    "FILE_SIZE_LIMIT",
    "TEXT_LIMIT",
    "Author",
    "Business",
    "Client",
    "Post",
    "Provider",
    "ReviewSite",
    "StoredFile",
    "create_app",
]
