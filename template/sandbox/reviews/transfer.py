"""Bodies in, up to a limit, and files out, so that no browser runs what somebody uploaded."""

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from .review_site import StoredFile

_SIGNATURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
_SHOWN_IN_PLACE = frozenset({*_SIGNATURES, "image/webp"})


async def read_body(request: Request, limit: int) -> bytes:
    """Read the whole body, or raise 413.

    An excess up to the same size again is read and dropped: a client that is still sending when the connection
    closes may never see the answer.
    """
    content = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            content += chunk
        elif size > 2 * limit:
            break
    if size > limit:
        raise HTTPException(413, f"This is more than {limit // (1024 * 1024)} MB, the most that is accepted.")
    return bytes(content)


def image_type(content: bytes) -> str | None:
    """The type of an image that browsers show, recognised by its first bytes."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for kind, starts in _SIGNATURES.items() if content.startswith(starts)), None)


def is_image(file: StoredFile) -> bool:
    """Whether the file may be shown in place, going by its declared type."""
    return file.content_type.partition(";")[0].strip().lower() in _SHOWN_IN_PLACE


def serve(file: StoredFile) -> Response:
    disposition = "inline" if is_image(file) else "attachment"
    return Response(
        file.content,
        headers={
            "Content-Type": file.content_type,
            "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(file.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
