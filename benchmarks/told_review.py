"""A new review, as the review site tells of it in a signed webhook."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from acme_reviews.core.signatures import sign


def told_review(secret: str, text: str) -> dict[str, Any]:
    """Give the content and headers of a request that tells of one more review."""
    now = datetime.now(UTC)
    post = {
        "id": str(uuid.uuid4()),
        "review_id": str(uuid.uuid4()),
        "answers_id": None,
        "time": now.isoformat(),
        "author": {"id": "ada", "name": "Ada Lovelace", "kind": "customer"},
        "rating": 5,
        "review_rating": 5,
        "title": "Still the best",
        "text": text,
        "files": [],
    }
    body = json.dumps({"id": str(uuid.uuid4()), "posts": [post]}).encode()
    return {
        "content": body,
        "headers": {
            "Webhook-Timestamp": str(int(now.timestamp())),
            "Webhook-Signature": sign(secret, now, body),
        },
    }
