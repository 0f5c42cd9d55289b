"""A person at a keyboard, who reads before typing."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pexpect
import pytest

if TYPE_CHECKING:
    from pathlib import Path

CLEAR_LINE = "\x15"
DOWN = "\x1b[B"
ASKS_FOR_CURSOR = "\x1b[6n"
CURSOR_IS_AT_THE_TOP = "\x1b[1;1R"
CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
COLUMNS = 80


class Terminal:
    def __init__(self, *command: str, folder: Path, env: dict[str, str]) -> None:
        program, *arguments = command
        self._child = pexpect.spawn(
            program,
            arguments,
            env=env | {"TERM": "xterm", "GIT_PAGER": "cat"},
            cwd=str(folder),
            dimensions=(50, COLUMNS),
            encoding="utf-8",
            timeout=180,
        )
        self._child.logfile_read = self._shown = io.StringIO()

    @property
    def shown(self) -> str:
        """Return all that was shown so far, without what moves the cursor or sets colours."""
        return CONTROL_SEQUENCE.sub("", self._shown.getvalue())

    def read(self, text: str) -> None:
        """Wait for a text, meanwhile telling the form where the cursor is, as a terminal does when asked."""
        try:
            while self._child.expect_exact([text, ASKS_FOR_CURSOR]):
                self._child.send(CURSOR_IS_AT_THE_TOP)
        except (pexpect.TIMEOUT, pexpect.EOF):
            pytest.fail(f"{text!r} does not appear; instead:\n{self._child.before}", pytrace=False)

    def type(self, text: str) -> None:
        self._child.send(text)

    def answer(self, question: str, keys: str = "") -> None:
        self.read(question)
        self.type(f"{keys}\r")

    def end(self) -> int | None:
        self._child.expect(pexpect.EOF)
        self._child.close()
        return self._child.exitstatus

    def close(self) -> None:
        self._child.close(force=True)
