"""What customers type into the forms: kept as typed, with the errors that stand beside the fields."""

from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message

from ..review_site import FILE_SIZE_LIMIT, TEXT_LIMIT
from ..transfer import image_type, read_body

NAME_LIMIT = 60
TITLE_LIMIT = 120

# Above the limit of one file, so that a photo somewhat too large is refused beside its field.
FORM_SIZE_LIMIT = 2 * FILE_SIZE_LIMIT


@dataclass(frozen=True, slots=True)
class Photo:
    name: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class CommentForm:
    name: str = ""
    text: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ReviewForm:
    name: str = ""
    stars: str = ""
    title: str = ""
    text: str = ""
    branch: str = ""
    photo: Photo | None = None
    errors: dict[str, str] = field(default_factory=dict)


async def read_comment_form(request: Request) -> CommentForm:
    buffered = await _buffered(request)
    async with buffered.form(max_files=0, max_fields=20) as data:
        form = CommentForm(name=_typed(data, "name"), text=_typed(data, "text"))
    _require(form.errors, "name", form.name, NAME_LIMIT, "Write your name.")
    _require(form.errors, "text", form.text, TEXT_LIMIT, "Write your text.")
    return form


async def read_review_form(request: Request) -> ReviewForm:
    buffered = await _buffered(request)
    async with buffered.form(max_files=1, max_fields=20) as data:
        form = ReviewForm(
            name=_typed(data, "name"),
            stars=_typed(data, "stars"),
            title=_typed(data, "title"),
            text=_typed(data, "text"),
            branch=_typed(data, "branch"),
        )
        _require(form.errors, "name", form.name, NAME_LIMIT, "Write your name.")
        if form.stars not in {"1", "2", "3", "4", "5"}:
            form.errors["stars"] = "Choose one to five stars."
        _require(form.errors, "title", form.title, TITLE_LIMIT, "Sum it up in a title.")
        _require(form.errors, "text", form.text, TEXT_LIMIT, "Write what you experienced.")
        upload = data.get("photo")
        if isinstance(upload, UploadFile) and upload.filename:
            _take_photo(form, upload.filename, await upload.read())
    return form


def _take_photo(form: ReviewForm, name: str, content: bytes) -> None:
    content_type = image_type(content)
    if len(content) > FILE_SIZE_LIMIT:
        form.errors["photo"] = f"Choose a photo of at most {FILE_SIZE_LIMIT // (1024 * 1024)} MB."
    elif content_type is None:
        form.errors["photo"] = "Choose a photo in PNG, JPEG, GIF or WebP."
    elif form.errors:
        form.errors["photo"] = "Choose your photo again: browsers do not keep it."
    else:
        form.photo = Photo(name, content_type, content)


async def _buffered(request: Request) -> Request:
    body = await read_body(request, FORM_SIZE_LIMIT)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


def _typed(data: FormData, name: str) -> str:
    value = data.get(name)
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def _require(errors: dict[str, str], name: str, value: str, longest: int, when_empty: str) -> None:
    if not value:
        errors[name] = when_empty
    elif len(value) > longest:
        errors[name] = f"Shorten this to {longest:,} characters: it has {len(value):,}."
