"""What Zendesk's documents say is held by tests that are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from commands import ROOT

DOCUMENTS = tomllib.loads(Path(__file__).with_name("statements.toml").read_text("utf-8"))


def test_every_statement_names_tests_that_are_there() -> None:
    assert set(DOCUMENTS) == {"proxy", "installer_app", "integration_services", "flows"}
    missing = []
    for document, statements in DOCUMENTS.items():
        for statement in statements:
            assert statement["says"].endswith("."), statement
            assert statement["tests"], f"{document}: nothing holds that {statement['says']}"
            for test in statement["tests"]:
                file, _, name = test.partition("::")
                text = (ROOT / file).read_text("utf-8") if (ROOT / file).is_file() else ""
                if not re.search(rf"^(?:async )?def {name}\(", text, re.MULTILINE):
                    missing.append(test)
    assert missing == []
