"""Reads the dashboard as its readers do: table by table, row by row."""

import re
from html import unescape

import httpx2

from tests.zendesk_driver import ZendeskDriver


def tables(page: httpx2.Response) -> dict[str, list[dict[str, str]]]:
    """The tables by title, each row by column."""
    found = {}
    for section in re.findall(r"<section.*?</section>", page.text, re.DOTALL):
        (title,) = re.findall(r"<h2[^>]*>([^<]*)", section)
        columns = re.findall(r'<th scope="col">(.*?)</th>', section)
        rows = [
            re.findall(r"<td[^>]*>(.*?)</td>", row)
            for row in re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)
        ]
        found[title] = [dict(zip(columns, map(_text, row), strict=True)) for row in rows if row]
    return found


def _text(cell: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", cell))


async def dashboard(zendesk: ZendeskDriver) -> dict[str, list[dict[str, str]]]:
    page = await zendesk.service.get("/channel/dashboard/all")
    assert page.status_code == 200
    return tables(page)
