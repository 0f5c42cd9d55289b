"""The pages for customers: they read and write reviews, and see what the business replies."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ..review_site import TEXT_LIMIT, Business, Post, ReviewSite, StoredFile
from ..transfer import is_image, serve
from .forms import NAME_LIMIT, TITLE_LIMIT, CommentForm, ReviewForm, read_comment_form, read_review_form

HERE = Path(__file__).parent


class Pages:
    def __init__(self, site: ReviewSite) -> None:
        self._site = site
        self._environment = Environment(
            loader=FileSystemLoader(HERE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {
            "day_and_time": _day_and_time,
            "file_url": _file_url,
            "human_size": _human_size,
            "rfc3339": datetime.isoformat,
        }
        self._environment.tests["image"] = is_image
        self._environment.globals |= {
            "longest_name": NAME_LIMIT,
            "longest_text": TEXT_LIMIT,
            "longest_title": TITLE_LIMIT,
        }
        self.routes = (
            Route("/", self.read_first_business),
            Route("/style.css", self.read_style),
            Route("/businesses/{business}", self.read_business),
            Route("/businesses/{business}/reviews", self.add_review, methods=["POST"]),
            Route("/posts/{post}", self.read_post),
            Route("/posts/{post}/comments", self.add_comment, methods=["POST"]),
            Route("/files/{file}/{name}", self.read_file),
        )

    async def read_first_business(self, request: Request) -> Response:
        return self._business_page(self._site.businesses[0], ReviewForm())

    async def read_business(self, request: Request) -> Response:
        return self._business_page(self.requested_business(request), ReviewForm())

    async def add_review(self, request: Request) -> Response:
        business = self.requested_business(request)
        form = await read_review_form(request)
        if form.errors:
            return self._business_page(business, form, status=422)
        files = []
        if form.photo:
            photo = form.photo
            files.append(
                self._site.add_file(
                    business, name=photo.name, content_type=photo.content_type, content=photo.content
                )
            )
        review = self._site.add_review(
            business,
            customer=form.name,
            rating=int(form.stars),
            title=form.title,
            text=form.text,
            files=files,
            branch=form.branch,
        )
        return RedirectResponse(f"/posts/{review.id}", status_code=303)

    async def read_post(self, request: Request) -> Response:
        post = self._requested_post(request)
        if post.answers_id is not None:
            return RedirectResponse(f"/posts/{post.review_id}#{post.id}", status_code=302)
        answered = self._site.post(request.query_params.get("answer", post.id))
        if answered is None or answered.review_id != post.id:
            answered = post
        return self._post_page(answered, CommentForm())

    async def add_comment(self, request: Request) -> Response:
        answered = self._requested_post(request)
        form = await read_comment_form(request)
        if form.errors:
            return self._post_page(answered, form, status=422)
        comment = self._site.add_comment(answered, customer=form.name, text=form.text)
        return RedirectResponse(f"/posts/{comment.review_id}#{comment.id}", status_code=303)

    async def read_file(self, request: Request) -> Response:
        file = self._site.published_file(request.path_params["file"])
        if file is None or file.name != request.path_params["name"]:
            raise HTTPException(404)
        return serve(file)

    async def read_style(self, request: Request) -> Response:
        return FileResponse(HERE / "style.css", headers={"Cache-Control": "no-cache"})

    def explain(self, error: HTTPException) -> Response:
        """The page in place of the one that could not be shown."""
        explanation = (
            "There is nothing at this address. The site keeps its posts in memory: a restart forgets them."
            if error.status_code == 404
            else error.detail
        )
        return self.respond("refused.html", {"explanation": explanation}, error.status_code, error.headers)

    def requested_business(self, request: Request) -> Business:
        """The business of the path."""
        business = self._site.business(request.path_params["business"])
        if business is None:
            raise HTTPException(404)
        return business

    def _requested_post(self, request: Request) -> Post:
        post = self._site.post(request.path_params["post"])
        if post is None:
            raise HTTPException(404)
        return post

    def _business_page(self, business: Business, form: ReviewForm, status: int = 200) -> Response:
        reviews = [(review, self._site.comments(review)) for review in self._site.reviews(business)]
        ratings = [review.rating for review, _ in reviews if review.rating]
        return self.respond(
            "business.html",
            {
                "business": business,
                "reviews": reviews,
                "average": sum(ratings) / len(ratings) if ratings else None,
                "form": form,
            },
            status,
        )

    def _post_page(self, answered: Post, form: CommentForm, status: int = 200) -> Response:
        review = self._site.review_of(answered)
        comments = self._site.comments(review)
        return self.respond(
            "post.html",
            {
                "business": self._site.business(review.business_id),
                "review": review,
                "helpful": self._site.is_helpful(review),
                "is_resolved": self._site.resolved_at(review) is not None,
                "comments": comments,
                "posts": {post.id: post for post in (review, *comments)},
                "answered": answered,
                "form": form,
            },
            status,
        )

    def respond(
        self,
        page: str,
        context: Mapping[str, object],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        html = self._environment.get_template(page).render({"businesses": self._site.businesses, **context})
        return HTMLResponse(
            html,
            status,
            {
                "Cache-Control": "no-store",
                "Content-Security-Policy": (
                    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
                    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
                ),
                "X-Content-Type-Options": "nosniff",
                **(headers or {}),
            },
        )


def _day_and_time(time: datetime) -> str:
    time = time.astimezone(UTC)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def _file_url(file: StoredFile) -> str:
    return f"/files/{file.id}/{quote(file.name, safe='')}"


def _human_size(size: int) -> str:
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
