"""The references of the contract and of the answers, made from the schemas and their examples."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

from contract import ANSWERS, NAMES, SCHEMAS, examples, schema_of
from sandbox import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Schema = dict[str, Any]

SERVICE_TO_ZENDESK = "From the service to Zendesk."
ZENDESK_TO_SERVICE = "From Zendesk to the service."
ADMIN_TO_ZENDESK = "From an admin's tool to Zendesk."
ZENDESK_TO_ADMIN = "From Zendesk to an admin's tool."

CHAPTERS: dict[str, dict[str, str]] = {
    "Installing a channel": {
        "installer-app-manifest": "From the publisher to Zendesk, in the app package.",
        "installer-app-requirements": "From the publisher to Zendesk, in the app package.",
        "installer-app-translation": "From the publisher to Zendesk, in the app package.",
        "manifest": SERVICE_TO_ZENDESK,
    },
    "Configuring an account": {
        "admin-ui-request": "From Zendesk to the service, by the admin's browser.",
        "admin-ui-return": "From the service to Zendesk, by the admin's browser.",
    },
    "Bringing posts into Zendesk": {
        "pull-request": ZENDESK_TO_SERVICE,
        "pull-response": SERVICE_TO_ZENDESK,
        "external-resource": "From the service to Zendesk, in a pull response or a push request.",
        "push-request": SERVICE_TO_ZENDESK,
        "push-response": ZENDESK_TO_SERVICE,
        "validate-token-request": SERVICE_TO_ZENDESK,
        "error-response": ZENDESK_TO_SERVICE,
    },
    "Bringing replies to the origin": {
        "channelback-request": ZENDESK_TO_SERVICE,
        "channelback-response": SERVICE_TO_ZENDESK,
        "report-error-request": SERVICE_TO_ZENDESK,
    },
    "Around posts and replies": {
        "clickthrough-request": "From an agent's browser to the service.",
        "event-callback": ZENDESK_TO_SERVICE,
        "proxy-request": "From an app in the agent's workspace, by Zendesk, to the service.",
    },
    "Zendesk Integration Services": {
        "zis-integration-request": ADMIN_TO_ZENDESK,
        "zis-integration-response": ZENDESK_TO_ADMIN,
        "oauth-clients-response": ZENDESK_TO_ADMIN,
        "oauth-token-request": ADMIN_TO_ZENDESK,
        "oauth-token-response": ZENDESK_TO_ADMIN,
        "zis-bundle": ADMIN_TO_ZENDESK,
        "zis-job-spec-install": ADMIN_TO_ZENDESK,
    },
}

HEADINGS = ("Field", "Type", "Limits", "", "Meaning", "Source")
LONGEST_STRING = 64
LONGEST_LIST = 5
LONGEST_EXAMPLE = 50
MOST_EXAMPLES = 3
LINE = 100
# What the table of fields shows in columns of its own, or says by its rows.
SHOWN = {
    "$defs",
    "$id",
    "$schema",
    "additionalProperties",
    "default",
    "description",
    "examples",
    "items",
    "patternProperties",
    "properties",
    "required",
    "title",
    "type",
}


def reference() -> str:
    """Describe the wire contract, as it is shipped in every project."""
    listed = [ANSWERS, *(name for chapter in CHAPTERS.values() for name in chapter)]
    if unlisted := set(NAMES) ^ set(listed):
        raise LookupError(
            f"CHAPTERS has to list each schema, and nothing else: {', '.join(sorted(unlisted))}"
        )
    return "\n".join(
        chain(_opening(), *map(_chapter, CHAPTERS), _formats(), _exceptions(), _sources(), _targets())
    )


def answers_reference() -> str:
    """Describe the answers to this template's questions, which no project has any use for."""
    return "\n".join(chain(["# Answers", ""], _schema(ANSWERS), _examples(ANSWERS)))


def _opening() -> Iterator[str]:
    yield "# The wire contract"
    yield ""
    yield (
        "What a channel integration and Zendesk say to each other, message by message, made from the schemas in this "
        "folder: JSON Schema 2020-12, one file per message. What we send is described strictly: where Zendesk's "
        "documents disagree, within the stricter limit. What we receive is accepted up to the wider one. Numbers such "
        "as SVC-48 name the rules of Zendesk's protocol that a field serves; the marks in brackets say where a "
        "statement comes from."
    )
    yield ""
    yield (
        "The tests hold every message that the service exchanges to these schemas, and the command `validate` checks any "
        "file by them."
    )
    yield ""
    yield "| Message | Way |"
    yield "|---|---|"
    for chapter in CHAPTERS.values():
        for name, way in chapter.items():
            yield f"| [{schema_of(name)['title']}](#{name}) | {way} |"
    yield ""
    yield (
        "At the end: [formats](#formats), [where we differ from Zendesk's schemas](#differences), [sources](#sources)."
    )
    yield ""


def _chapter(title: str) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    for name, way in CHAPTERS[title].items():
        yield from _section(name, way)


# --- One schema ---------------------------------------------------------------------------------


def _section(name: str, way: str) -> Iterator[str]:
    schema = schema_of(name)
    yield f'<a id="{name}"></a>'
    yield ""
    yield f"### {schema['title']}"
    yield ""
    yield from _schema(name, f"*{way}* ")
    yield from _examples(name)


def _schema(name: str, opening: str = "") -> Iterator[str]:
    schema = schema_of(name)
    yield f"{opening}{schema['description']} [`{name}.schema.json`]({name}.schema.json)"
    yield ""
    tables = _Tables(name, schema)
    yield from tables.table(schema)
    for part, definition in schema.get("$defs", {}).items():
        if tables.has_table(definition):
            yield f'<a id="{name}-{part}"></a>'
            yield ""
            yield f"#### {schema['title']}: {_words(part)}"
            yield ""
            if "description" in definition:
                yield wire.statement(definition["description"]).meaning
                yield ""
            yield from tables.table(definition)


class _Tables:
    """The tables of one schema; parts that several fields share have tables of their own."""

    def __init__(self, name: str, schema: Schema) -> None:
        self._name = name
        self._definitions: dict[str, Schema] = schema.get("$defs", {})

    def has_table(self, schema: Schema) -> bool:
        return any(
            keyword in schema for keyword in ("properties", "patternProperties", "$ref")
        ) or isinstance(schema.get("additionalProperties"), dict)

    def table(self, schema: Schema) -> Iterator[str]:
        rows = [*self._rows(schema, ""), *self._parts(schema, "")]
        if rows:
            headings = HEADINGS if any(row[-1] for row in rows) else HEADINGS[:-1]
            yield _row_of(*headings).replace("|  |", "| |")
            yield f"|{'---|' * len(headings)}"
            yield from (_row_of(*row[: len(headings)]) for row in rows)
            yield ""
        rules = list(self._phrases(schema, ""))
        if "$ref" in schema:
            rules.insert(0, f"Whatever holds for {self._type(schema)}")
        yield from (f"- {_sentence(rule)}" for rule in rules)
        if rules:
            yield ""

    def _rows(self, schema: Schema, before: str) -> Iterator[tuple[str, ...]]:
        required = schema.get("required", [])
        for key, field in schema.get("properties", {}).items():
            yield from self._row(field, f"{before}{key}", mandatory=key in required)
        for pattern, field in schema.get("patternProperties", {}).items():
            yield from self._row(field, f"{before}/{pattern}/", mandatory=False)

    def _row(self, field: Schema, path: str, *, mandatory: bool) -> Iterator[tuple[str, ...]]:
        found = self._inlined(field)
        meaning, source = _told(found.get("description", ""))
        limits = "; ".join(self._limits(found, path))
        if "default" in found:
            limits = "; ".join(filter(None, [limits, f"default {_code(found['default'])}"]))
        yield f"`{path}`", self._type(found), limits, "mandatory" if mandatory else "", meaning, source
        yield from self._inside(found, path)

    def _inside(self, schema: Schema, path: str) -> Iterator[tuple[str, ...]]:
        if "$ref" not in schema:
            yield from self._rows(schema, f"{path}.")
            yield from self._parts(schema, path)

    def _parts(self, schema: Schema, path: str) -> Iterator[tuple[str, ...]]:
        """Yield the rows of what a list or an object with free keys holds."""
        for keyword, step in (("items", "[]"), ("additionalProperties", ".*" if path else "*")):
            part = schema.get(keyword)
            if not isinstance(part, dict):
                continue
            part = self._inlined(part)
            if "description" in part and "$ref" not in part:
                yield from self._row(part, f"{path}{step}", mandatory=False)
            else:
                yield from self._inside(part, f"{path}{step}")

    def _inlined(self, schema: Schema) -> Schema:
        """Write out a reference to a part that has no table of its own."""
        part = self._part(schema)
        if part is None or self.has_table(part):
            return schema
        here = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
        return {**part, **here}

    def _part(self, schema: Schema) -> Schema | None:
        reference = schema.get("$ref", "")
        return self._definitions[reference.rpartition("/")[2]] if reference.startswith("#/$defs/") else None

    def _limits(self, schema: Schema, path: str) -> Iterator[str]:
        yield from self._phrases(schema, path)
        for keyword in ("items", "additionalProperties"):
            part = schema.get(keyword)
            if isinstance(part, dict) and "description" not in (part := self._inlined(part)):
                yield from (f"each {phrase}" for phrase in self._phrases(part, path))

    def _type(self, schema: Schema) -> str:
        if "$ref" in schema:
            target = schema["$ref"]
            if target.startswith("urn:"):
                name = target.rpartition(":")[2]
                return f"[{schema_of(name)['title']}](#{name})"
            name = target.rpartition("/")[2]
            return f"[{_words(name)}](#{self._name}-{name})"
        if isinstance(schema.get("items"), dict):
            return f"list of {self._type(self._inlined(schema['items']))}"
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        named = schema.get("type") or sorted({_type_of(value) for value in values}) or "any"
        kinds = " or ".join([named] if isinstance(named, str) else named)
        rest = schema.get("additionalProperties")
        if isinstance(rest, dict) and "properties" not in schema:
            return f"{kinds} of {self._type(self._inlined(rest))}"
        return kinds

    # --- Keywords in words ---

    def _phrases(self, schema: Schema, path: str) -> Iterator[str]:
        """Say what the keywords demand that no column shows."""
        done = set(SHOWN) | {"$ref"}
        for unit, least, most in (
            ("character", "minLength", "maxLength"),
            ("entry", "minItems", "maxItems"),
            ("key", "minProperties", "maxProperties"),
        ):
            if least in schema or most in schema:
                yield _range(schema.get(least), schema.get(most), unit)
                done |= {least, most}
        if "if" in schema:
            yield from self._condition(schema)
            done |= {"if", "then", "else"}
        for keyword, value in schema.items():
            if keyword not in done:
                yield from self._phrase(keyword, value, path)

    def _phrase(self, keyword: str, value: Any, path: str) -> Iterator[str]:
        match keyword:
            case "contains":
                yield f"holds {self._said(value, path)}"
            case "propertyNames":
                yield f"each key {self._said(value, path)}"
            case "oneOf" | "anyOf":
                many = {"oneOf": "exactly", "anyOf": "at least"}[keyword]
                if all(set(option) == {"required"} for option in value):
                    yield f"{many} one of {_codes(chain.from_iterable(option['required'] for option in value))}"
                else:
                    yield f"{many} one of these: " + "; or ".join(
                        self._said(option, path) for option in value
                    )
            case "allOf":
                for part in value:
                    yield _phrase(part["description"]) if "description" in part else self._said(part, path)
            case "not":
                yield self._forbidden(value, path)
            case "dependentSchemas":
                for key, part in value.items():
                    yield f"if {_code_text(key)} is there: {self._said(part, path)}"
            case _:
                yield VALUE_IN_WORDS[keyword](value)

    def _condition(self, schema: Schema) -> Iterator[str]:
        condition = schema["if"]
        needed = self._said(schema["then"], "") if "then" in schema else ""
        other = self._said(schema["else"], "") if "else" in schema else ""
        if condition == {"type": "object"}:
            yield needed
            return
        match condition:
            case {"minLength": 1}:
                when = "not empty"
            case {"properties": properties}:
                when = " and ".join(
                    f"{_code_text(key)} {'' if 'contains' in part else 'is '}{self._value(part)}"
                    for key, part in properties.items()
                )
            case {"required": [*keys]}:
                when = f"{_codes(keys)} is there"
            case _:
                when = f"it {self._said(condition, '')}"
        yield f"if {when}: {needed}" + (f"; otherwise {other}" if other else "")

    def _value(self, schema: Schema) -> str:
        return _code(schema["const"]) if "const" in schema else self._said(schema, "")

    def _said(self, schema: Schema, path: str) -> str:
        """Say everything that a schema inside a rule demands."""
        said = []
        if "$ref" in schema:
            said.append(self._type(self._inlined(schema)) if self._part(schema) else self._type(schema))
        elif "type" in schema and isinstance(schema["type"], str):
            said.append(f"a value of type {schema['type']}")
        if "const" in schema:
            return _code(schema["const"])
        for key, part in schema.get("properties", {}).items():
            said.append(f"{_code_text(key)} {self._field(part)}")
        if "required" in schema:
            said.append(f"{_codes(schema['required'])} mandatory")
        said.extend(self._phrases(schema, path))
        return ", ".join(said)

    def _field(self, schema: Schema) -> str:
        said = self._said(self._inlined(schema), "")
        named = "$ref" in schema or "const" in schema or "const" in schema.get("not", {})
        return f"is {said}" if named else said

    def _forbidden(self, schema: Schema, path: str) -> str:
        match schema:
            case {"required": [*keys]} if len(schema) == 1:
                return f"no {_codes(keys)}"
            case {"pattern": pattern}:
                return f"does not match {_pattern(pattern)}"
        return f"not {self._said(schema, path)}"


def _told(description: str) -> tuple[str, str]:
    """Part a description into what it says and, as the last column has it, where that comes from."""
    said = wire.statement(description)
    return said.meaning, ", ".join([*(f"[{mark}]" for mark in said.sources), *said.rules])


# --- Examples -----------------------------------------------------------------------------------


def _examples(name: str) -> Iterator[str]:
    accepted = examples(name)
    first, *rest = [(example.title, _written(_shortened(example.value))) for example in accepted]
    yield f"For example, {first[0]}:"
    yield ""
    yield from _fenced(first[1])
    shown = [(title, text) for title, text in rest if text.count("\n") < LONGEST_EXAMPLE][:MOST_EXAMPLES]
    if shown:
        yield "<details>"
        yield f"<summary>{len(shown)} more that {'is' if len(shown) == 1 else 'are'} valid</summary>"
        yield ""
        for title, text in shown:
            yield f"{title[0].upper()}{title[1:]}:"
            yield ""
            yield from _fenced(text)
        yield "</details>"
        yield ""


def _fenced(text: str) -> Iterator[str]:
    yield "```json"
    yield text
    yield "```"
    yield ""


def _written(value: Any, indent: str = "") -> str:
    """Write JSON as a person would: what fits into a line stands in one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= LINE or not value or not isinstance(value, dict | list):
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}: {_written(item, inner)}" for key, item in value.items()
        ]
    else:
        parts = [_written(item, inner) for item in value]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{end}"


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        kept = [_shortened(item) for item in value[:LONGEST_LIST]]
        return kept if len(value) <= LONGEST_LIST else [*kept, f"… {len(value) - LONGEST_LIST} more"]
    if isinstance(value, str) and len(value) > LONGEST_STRING:
        return f"{value[: LONGEST_STRING // 2]}… ({len(value):,} characters)"
    return value


# --- What stands at the end -----------------------------------------------------------------------


def _formats() -> Iterator[str]:
    yield '<a id="formats"></a>'
    yield ""
    yield "## Formats"
    yield ""
    for name, (check, _) in sorted(wire.FORMATS.checkers.items()):
        first = (check.__doc__ or "").partition(";")[0].removeprefix("Whether a string is ")
        yield f"- **{name}**: {first.rstrip('.')}."
    yield ""


def _exceptions() -> Iterator[str]:
    yield '<a id="differences"></a>'
    yield ""
    yield "## Where we differ from Zendesk's schemas"
    yield ""
    yield (
        "Zendesk publishes schemas of its own. Once their defects are repaired, ours judge every message as they do, "
        "except for these."
    )
    yield ""
    yield "| Message | Where | Ours | Zendesk's | Refused by | Reason | Rules |"
    yield "|---|---|---|---|---|---|---|"
    for entry in json.loads((SCHEMAS / "exceptions.json").read_text(encoding="utf-8")):
        yield _row_of(
            f"[{schema_of(entry['schema'])['title']}](#{entry['schema']})",
            _code_text(entry["pointer"]) if entry["pointer"] else "the whole",
            _limit(entry["keyword"], entry["ours"]),
            _limit(entry["keyword"], entry["theirs"]),
            entry["refused_by"],
            entry["reason"],
            ", ".join(re.findall(r"SVC-\d\d", entry["reference"])),
        )
    yield ""


def _limit(keyword: str, limit: int | str) -> str:
    if isinstance(limit, str):
        return limit
    unit = {"Length": "character", "Items": "entry"}[keyword[3:]]
    return _range(None, limit, unit) if keyword.startswith("max") else _range(limit, None, unit)


def _sources() -> Iterator[str]:
    yield '<a id="sources"></a>'
    yield ""
    yield "## Sources"
    yield ""
    yield from (f"- [{mark}] {source['title']}" for mark, source in wire.sources().items())
    yield ""


def _targets() -> Iterator[str]:
    yield from (f"[{mark}]: {source.get('url', '#sources')}" for mark, source in wire.sources().items())
    yield ""


# --- Words ----------------------------------------------------------------------------------------


def _row_of(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _phrase(sentence: str) -> str:
    return f"{sentence[0].lower()}{sentence[1:].rstrip('.')}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _range(least: int | None, most: int | None, unit: str) -> str:
    units = {"entry": "entries"}.get(unit, f"{unit}s")
    if most is None and least == 1:
        return "not empty"
    if most is None and not least:
        return "may be empty"
    if most is None:
        return f"at least {least} {units}"
    if not least:
        return f"at most {most:,} {unit if most == 1 else units}"
    return f"{most:,} {unit if most == 1 else units}" if least == most else f"{least:,}–{most:,} {units}"


def _type_of(value: Any) -> str:
    return {bool: "boolean", str: "string", int: "integer", list: "list"}[type(value)]


def _code(value: Any) -> str:
    return _code_text(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False))


def _code_text(text: str) -> str:
    shown = text if len(text) <= LONGEST_STRING * 2 else f"{text[:LONGEST_STRING]}…"
    fence = "``" if "`" in shown else "`"
    return f"{fence}{shown}{fence}"


def _pattern(pattern: str) -> str:
    """Leave out what only keeps Python's `$` from overlooking a line break at the end."""
    return _code_text(pattern.replace(r"$(?!\n)", "$"))


def _codes(values: Iterable[Any]) -> str:
    return ", ".join(map(_code, values))


VALUE_IN_WORDS: dict[str, Callable[[Any], str]] = {
    "const": lambda value: f"always {_code(value)}",
    "enum": lambda values: f"one of {_codes(values)}",
    "exclusiveMinimum": lambda value: f"more than {value}",
    "format": lambda name: f"[{name}](#formats)",
    "maximum": lambda value: f"at most {value}",
    "minimum": lambda value: f"at least {value}",
    "pattern": lambda pattern: f"matches {_pattern(pattern)}",
    "uniqueItems": lambda _: "no entry twice",
}
