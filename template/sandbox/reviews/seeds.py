"""What stands on the site from the start."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

PHOTOS = Path(__file__).parent / "photos"


@dataclass(frozen=True, slots=True)
class SeedBusiness:
    id: str
    name: str
    tagline: str
    api_key: str
    branches: tuple[tuple[str, str], ...]
    """Ids and names."""


@dataclass(frozen=True, slots=True)
class SeedComment:
    age: timedelta
    customer: str
    text: str


@dataclass(frozen=True, slots=True)
class SeedReview:
    business: str
    age: timedelta
    customer: str
    rating: int
    title: str
    text: str
    branch: str
    photo: str | None = None
    comments: tuple[SeedComment, ...] = ()


BUSINESSES = (
    SeedBusiness(
        "corner-cafe",
        "Corner Café",
        "Coffee, cake and a window seat",
        "demo-key",
        (("old-town", "Old Town"), ("station", "Central Station")),
    ),
    SeedBusiness(
        "book-nook",
        "Book Nook",
        "Second-hand books, first-rate advice",
        "demo-key-2",
        (("market-square", "Market Square"), ("online", "Online shop")),
    ),
)

SEEDS = (
    SeedReview(
        business="corner-cafe",
        age=timedelta(days=9, hours=3, minutes=12),
        customer="Maya Lindqvist",
        rating=5,
        title="The best flat white in town",
        branch="old-town",
        text="Silky milk, a proper double shot, and they remember your name after two visits. This is my Monday now.",
        photo="flat-white.png",
    ),
    SeedReview(
        business="corner-cafe",
        age=timedelta(days=5, hours=7, minutes=41),
        customer="Jonas Weber",
        rating=2,
        title="Half an hour for a sandwich",
        branch="station",
        text=(
            "Saturday at noon, ten people inside, two at the counter. The sandwich was good, "
            "but by then my lunch break was over.\n\nIs there a way to order ahead?"
        ),
        comments=(
            SeedComment(
                age=timedelta(days=4, hours=22, minutes=5),
                customer="Priya Nair",
                text="Same last Saturday. Go before half past eleven and you walk straight to the counter.",
            ),
        ),
    ),
    SeedReview(
        business="corner-cafe",
        age=timedelta(days=1, hours=2, minutes=26),
        customer="Amélie Roux",
        rating=4,
        title="Great cake, loud music",
        branch="old-town",
        text="The lemon cake alone is worth the trip. One star less because we had to shout across the table.",
    ),
    SeedReview(
        business="book-nook",
        age=timedelta(days=11, hours=5, minutes=50),
        customer="Tom Okafor",
        rating=5,
        title="They found the edition I had given up on",
        branch="market-square",
        text="I asked for a 1962 atlas without much hope. Three days later it lay on the counter, for less than online.",
    ),
    SeedReview(
        business="book-nook",
        age=timedelta(days=6, hours=1, minutes=33),
        customer="Hana Sato",
        rating=1,
        title="My order never arrived",
        branch="online",
        text="Ordered a birthday present two weeks ago, paid at once, and nobody answers the phone.",
        comments=(
            SeedComment(
                age=timedelta(days=3, hours=19, minutes=8),
                customer="Hana Sato",
                text="The birthday has passed. I would still like the book, or my money back.",
            ),
        ),
    ),
    SeedReview(
        business="book-nook",
        age=timedelta(days=2, hours=8, minutes=17),
        customer="Luís Pereira",
        rating=4,
        title="An afternoon among the shelves",
        branch="market-square",
        text="Came in for five minutes, left after three hours with a full bag. Bring cash, the card reader sulks.",
        photo="window-shelf.png",
    ),
)
