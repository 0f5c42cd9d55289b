"""Requests that are made from the contract: those that it allows, and those that it forbids in some place.

python modelled_requests.py {service,zendesk} FILE --requests 20000 --seed 1

writes each as one line of JSON: method, path, content type and, in base64, the body.
"""

from __future__ import annotations

import argparse
import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from api_document import api_document
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from requests import Request
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

AT_ONCE = 200
"""Each run of Hypothesis begins with small examples again."""


class Enough(Exception):  # noqa: N818 - it is no error
    """As many requests as were asked for have been written."""


def write(side: str, file: Path, number: int, first_seed: int) -> None:
    document = schemathesis.openapi.from_dict(api_document(side))
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = strategies.one_of(
        *(
            found.ok().as_strategy(generation_mode=mode)
            for found in document.get_all_operations()
            if isinstance(found, Ok)
            for mode in modes
        )
    )
    with file.open("w") as output:
        written = 0

        def keep(case: Any) -> None:
            nonlocal written
            if written == number:
                raise Enough
            with suppress(ValueError):
                # Some of what is forbidden cannot be written at all.
                output.write(_line(case) + "\n")
                written += 1

        with suppress(Enough):
            for start in range(first_seed, first_seed + number):
                quick = settings(
                    max_examples=AT_ONCE,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                seed(start)(quick(given(cases)(keep)))()


def _line(case: Any) -> str:
    request = Request(**case.as_transport_kwargs(base_url="http://service"))
    request.cookies = None
    prepared = request.prepare()
    parts = urlsplit(prepared.url or "")
    body = prepared.body or b""
    content = body.encode() if isinstance(body, str) else bytes(body)
    return json.dumps(
        {
            "method": prepared.method,
            "path": parts.path + (f"?{parts.query}" if parts.query else ""),
            "content_type": str(prepared.headers.get("Content-Type", "")),
            "body": base64.b64encode(content).decode(),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("side", choices=("service", "zendesk"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write(arguments.side, arguments.file, arguments.requests, arguments.seed)


if __name__ == "__main__":
    main()
