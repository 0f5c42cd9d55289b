"""The review site itself, in memory: businesses, what customers write about them, and the replies."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Literal

from .seeds import BUSINESSES, PHOTOS, SEEDS, SeedReview

FILE_SIZE_LIMIT = 10 * 1024 * 1024
TEXT_LIMIT = 5_000

_UNSAFE_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029/\\]+")


@dataclass(frozen=True, slots=True)
class Branch:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Business:
    id: str
    name: str
    tagline: str
    api_key: str
    branches: tuple[Branch, ...]

    def branch(self, branch_id: str) -> Branch:
        """The branch of that id, or else the first one."""
        return next((branch for branch in self.branches if branch.id == branch_id), self.branches[0])


@dataclass(frozen=True, slots=True)
class Author:
    id: str
    name: str
    kind: Literal["customer", "business"]


@dataclass(frozen=True, slots=True)
class StoredFile:
    id: str
    business_id: str
    name: str
    content_type: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Post:
    """A review (`answers_id` is None), or a comment that answers a post: a customer's, or a business's reply."""

    id: str
    business_id: str
    review_id: str
    answers_id: str | None
    time: datetime
    author: Author
    rating: int | None
    title: str | None
    text: str
    files: tuple[StoredFile, ...] = ()
    branch: Branch | None = None
    """Of a review: where the customer was."""

    @property
    def position(self) -> tuple[datetime, str]:
        """Where the post stands among all posts of its business."""
        return self.time, self.id


def utc_now() -> datetime:
    return datetime.now(UTC)


class ReviewSite:
    """Everything the site knows.

    The ids of posts and files are unique over all businesses. A post's position, its (time, id), lies after that of
    every earlier post of the same business whatever the clock does, so that who reads on from a position misses
    nothing and meets a post before its answers.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        *,
        seeded: bool = True,
        numbers_from: int | None = None,
    ) -> None:
        """Number what is written from `numbers_from`, or on from the seeds."""
        self._clock = clock
        self._businesses = {
            seed.id: Business(
                seed.id,
                seed.name,
                seed.tagline,
                seed.api_key,
                tuple(Branch(branch_id, name) for branch_id, name in seed.branches),
            )
            for seed in BUSINESSES
        }
        self._posts: dict[str, Post] = {}
        self._posts_by_business: dict[str, list[Post]] = {business: [] for business in self._businesses}
        self._files: dict[str, StoredFile] = {}
        self._published: dict[str, StoredFile] = {}
        self._replies: dict[tuple[str, str], Post] = {}
        self._resolved: dict[str, datetime] = {}
        self._customers: dict[str, Author] = {}
        self._helpful: set[str] = set()
        self._review_numbers = count(1)
        self._comment_numbers = count(1)
        self._file_numbers = count(1)
        if seeded:
            now = clock()
            for seed in SEEDS:
                self._plant(seed, now)
        if numbers_from is not None:
            self._review_numbers = count(numbers_from)
            self._comment_numbers = count(numbers_from)
            self._file_numbers = count(numbers_from)

    @property
    def businesses(self) -> tuple[Business, ...]:
        return tuple(self._businesses.values())

    def business(self, business_id: str) -> Business | None:
        return self._businesses.get(business_id)

    def business_of_key(self, api_key: str) -> Business | None:
        return next((business for business in self._businesses.values() if business.api_key == api_key), None)

    def post(self, post_id: str) -> Post | None:
        return self._posts.get(post_id)

    def review_of(self, post: Post) -> Post:
        """The review that began the post's thread: the post itself, if it is one."""
        return self._posts[post.review_id]

    def posts(self, business: Business) -> Sequence[Post]:
        """All posts of the business, by position."""
        return tuple(self._posts_by_business[business.id])

    def posts_after(self, business: Business, position: tuple[datetime, str]) -> Sequence[Post]:
        """The posts of the business that stand behind a position, by position."""
        posts = self._posts_by_business[business.id]
        return posts[bisect_right(posts, position, key=lambda post: post.position) :]

    def reviews(self, business: Business) -> Sequence[Post]:
        """The business's reviews, newest first."""
        return [post for post in reversed(self._posts_by_business[business.id]) if post.answers_id is None]

    def comments(self, review: Post) -> Sequence[Post]:
        """What was said below the review, oldest first."""
        posts = self._posts_by_business[review.business_id]
        return [post for post in posts if post.review_id == review.id and post.answers_id is not None]

    def file(self, file_id: str) -> StoredFile | None:
        return self._files.get(file_id)

    def published_file(self, file_id: str) -> StoredFile | None:
        """The file, if some post shows it."""
        return self._published.get(file_id)

    def is_helpful(self, review: Post) -> bool:
        return review.id in self._helpful

    def set_helpful(self, review: Post, *, helpful: bool) -> None:
        """Have the business call a review helpful, or no longer."""
        (self._helpful.add if helpful else self._helpful.discard)(review.id)

    def reply_made_under(self, business: Business, idempotency_key: str) -> Post | None:
        return self._replies.get((business.id, idempotency_key))

    def resolved_at(self, review: Post) -> datetime | None:
        """When the business resolved what the review complains of; None if it has not."""
        return self._resolved.get(review.id)

    def resolve(self, review: Post, moment: datetime) -> None:
        """Mark a review as resolved; once it is, the moment stays."""
        self._resolved.setdefault(review.id, moment)

    def add_review(
        self,
        business: Business,
        *,
        customer: str,
        rating: int,
        title: str,
        text: str,
        files: Sequence[StoredFile] = (),
        branch: str = "",
        time: datetime | None = None,
    ) -> Post:
        review_id = f"review-{next(self._review_numbers)}"
        return self._publish(
            Post(
                id=review_id,
                business_id=business.id,
                review_id=review_id,
                answers_id=None,
                time=time or self._clock(),
                author=self._customer(customer),
                rating=rating,
                title=title,
                text=text,
                files=tuple(files),
                branch=business.branch(branch),
            )
        )

    def add_comment(self, answered: Post, *, customer: str, text: str, time: datetime | None = None) -> Post:
        return self._publish(self._comment(answered, self._customer(customer), text, time=time))

    def add_reply(
        self, answered: Post, *, text: str, files: Sequence[StoredFile] = (), idempotency_key: str
    ) -> tuple[Post, bool]:
        """The business's reply, and whether this call made it: a key makes one reply, however often it comes."""
        business = self._businesses[answered.business_id]
        known = self.reply_made_under(business, idempotency_key)
        if known:
            return known, False
        author = Author(business.id, business.name, "business")
        reply = self._publish(self._comment(answered, author, text, files))
        self._replies[business.id, idempotency_key] = reply
        return reply, True

    def add_file(self, business: Business, *, name: str, content_type: str, content: bytes) -> StoredFile:
        """Keep a file; its name becomes one that can stand in a URL's path."""
        file = StoredFile(
            id=f"file-{next(self._file_numbers)}",
            business_id=business.id,
            name=_UNSAFE_IN_A_NAME.sub("-", name).strip(" .-")[-200:] or "file",
            content_type=content_type,
            content=content,
        )
        self._files[file.id] = file
        return file

    def _comment(
        self,
        answered: Post,
        author: Author,
        text: str,
        files: Sequence[StoredFile] = (),
        time: datetime | None = None,
    ) -> Post:
        return Post(
            id=f"comment-{next(self._comment_numbers)}",
            business_id=answered.business_id,
            review_id=answered.review_id,
            answers_id=answered.id,
            time=time or self._clock(),
            author=author,
            rating=None,
            title=None,
            text=text,
            files=tuple(files),
        )

    def _publish(self, post: Post) -> Post:
        posts = self._posts_by_business[post.business_id]
        post = replace(post, time=_after(posts[-1] if posts else None, post))
        posts.append(post)
        self._posts[post.id] = post
        self._published |= {file.id: file for file in post.files}
        return post

    def _customer(self, name: str) -> Author:
        """The customer of that name: the site has no log-in, so one name is one person."""
        author_id = f"customer-{len(self._customers) + 1}"
        return self._customers.setdefault(name.casefold(), Author(author_id, name, "customer"))

    def _plant(self, seed: SeedReview, now: datetime) -> None:
        business = self._businesses[seed.business]
        photos = []
        if seed.photo:
            content = (PHOTOS / seed.photo).read_bytes()
            photos.append(self.add_file(business, name=seed.photo, content_type="image/png", content=content))
        review = self.add_review(
            business,
            customer=seed.customer,
            rating=seed.rating,
            title=seed.title,
            text=seed.text,
            files=photos,
            branch=seed.branch,
            time=now - seed.age,
        )
        for comment in seed.comments:
            self.add_comment(review, customer=comment.customer, text=comment.text, time=now - comment.age)


def _after(previous: Post | None, post: Post) -> datetime:
    """The post's own time, or the earliest one that puts it behind the previous post."""
    if previous is None or post.position > previous.position:
        return post.time
    same_time_suffices = post.id > previous.id
    return previous.time if same_time_suffices else previous.time + timedelta(microseconds=1)
