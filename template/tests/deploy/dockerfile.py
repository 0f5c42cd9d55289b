"""A Dockerfile, read as far as its tests need it."""

import re
import shlex
from pathlib import Path


class Dockerfile:
    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")
        lines = re.sub(r"(?m)^\s*#.*\n", "", self.text).replace("\\\n", " ").splitlines()
        self.stages: list[list[tuple[str, str]]] = []
        """Each stage as its instructions, with comments gone and continued lines joined."""
        for line in filter(str.strip, lines):
            keyword, _, rest = line.partition(" ")
            if keyword == "FROM":
                self.stages.append([])
            self.stages[-1].append((keyword, rest.strip()))

    def all(self, keyword: str) -> list[str]:
        """What stands behind a keyword, in all stages."""
        return [rest for stage in self.stages for found, rest in stage if found == keyword]

    def last(self, keyword: str) -> str:
        """What stands behind a keyword in the image that runs."""
        return [rest for found, rest in self.stages[-1] if found == keyword][-1]

    def environment(self) -> dict[str, str]:
        assignments = [
            word for found, rest in self.stages[-1] if found == "ENV" for word in shlex.split(rest)
        ]
        return dict(word.split("=", 1) for word in assignments)

    def probed(self) -> str:
        """The address that the health check asks."""
        (url,) = re.findall(r"http://[^']+", self.last("HEALTHCHECK"))
        return str(url)


def seconds(duration: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([sm])", duration).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]
