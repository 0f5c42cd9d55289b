"""The account's configuration as a form: a Pydantic model becomes fields, and a posted form becomes the model.

The model is the one that `origin.py` declares. What the form takes from it:

    business: str = Field(title="Business", description="As in its address.", examples=["corner-cafe"])
    reviews: Literal["all", "bad"] = Field("all", json_schema_extra={"labels": {"all": "All", "bad": "One star"}})
    languages: set[Literal["de", "en"]] = Field(set(), max_length=5)
    keywords: list[str] = Field([], description="What a review must speak of.")
    signature: str | None = Field(None, json_schema_extra={"multiline": True})
    api_key: SecretStr

Titles label the fields, descriptions help, the first example stands in an empty field, and `labels` name the
options of a choice. A `SecretStr` is never sent to the browser; left empty on edit, it stays as it is. Moments are
written and shown in UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import AnyUrl, AwareDatetime, BaseModel, EmailStr, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ..web.forms import Form
from ..web.pages.translations import fill

Kind = Literal[
    "text",
    "password",
    "url",
    "email",
    "number",
    "date",
    "datetime-local",
    "checkbox",
    "select",
    "textarea",
    "checkboxes",
    "lines",
]
Translate = Callable[[str], str]

# The page posts these beside the configuration.
RESERVED = frozenset({"name", "handshake"})

KINDS: Mapping[object, Kind] = {
    str: "text",
    SecretStr: "password",
    bool: "checkbox",
    int: "number",
    float: "number",
    Decimal: "number",
    date: "date",
    datetime: "datetime-local",
    AwareDatetime: "datetime-local",
    AnyUrl: "url",
    EmailStr: "email",
}

MULTILINE: Mapping[Kind, Kind] = {"text": "textarea", "password": "textarea"}

SEVERAL: Mapping[Kind | None, Kind] = {
    "select": "checkboxes",
    "text": "lines",
    "url": "lines",
    "email": "lines",
    "number": "lines",
    "date": "lines",
}
"""How a list or a set is shown, by what it holds."""

SHOWN = (
    "str, SecretStr, bool, int, float, Decimal, date, datetime, HttpUrl, AnyUrl, EmailStr, a Literal or an Enum of "
    "strings, a list, set, frozenset or tuple[..., ...] of these but secrets, bools and datetimes, or one of these or None"
)

OFF = frozenset({"", "0", "false", "off", "no"})

EMPTY = "Fill in this field."
NOT_CHOSEN = "Choose one of the options."
NOT_ACCEPTED = "These settings were not accepted. Check them and try again."
NOT_LIKE_EXAMPLE = "Write this in the form of the example: {example}"
IN_LINE = "Line {line}: {message}"
BAD_ADDRESS = "Write an e-mail address, for example name@example.com."

# Pydantic's error types, in the words of somebody who fills in a form.
MESSAGES: Mapping[str, str] = {
    "date_from_datetime_inexact": "Write a date as year-month-day, for example 2026-11-20.",
    "date_from_datetime_parsing": "Write a date as year-month-day, for example 2026-11-20.",
    "date_parsing": "Write a date as year-month-day, for example 2026-11-20.",
    "datetime_from_date_parsing": "Write a date and a time, for example 2026-11-20 10:15.",
    "datetime_parsing": "Write a date and a time, for example 2026-11-20 10:15.",
    "decimal_max_digits": "Write a number with {limit} digits or fewer.",
    "decimal_max_places": "Write a number with {limit} decimal places or fewer.",
    "decimal_parsing": "Write a number.",
    "decimal_whole_digits": "Write a number with {limit} digits or fewer before the decimal point.",
    "enum": NOT_CHOSEN,
    "finite_number": "Write a number.",
    "float_parsing": "Write a number.",
    "greater_than": "Write a number greater than {limit}.",
    "greater_than_equal": "Write a number that is {limit} or greater.",
    "int_from_float": "Write a whole number.",
    "int_parsing": "Write a whole number.",
    "int_parsing_size": "Write a smaller number.",
    "less_than": "Write a number less than {limit}.",
    "less_than_equal": "Write a number that is {limit} or less.",
    "literal_error": NOT_CHOSEN,
    "missing": EMPTY,
    "multiple_of": "Write a multiple of {limit}.",
    "string_pattern_mismatch": "Check this entry: it does not have the expected form.",
    "string_too_long": "Shorten this to {limit} characters or fewer.",
    "string_too_short": "Write {limit} characters or more.",
    "too_long": "Shorten this to {limit} characters or fewer.",
    "url_parsing": "Write a complete address, for example https://example.com.",
    "url_scheme": "Write a complete address, for example https://example.com.",
    "url_syntax_violation": "Write a complete address, for example https://example.com.",
    "url_too_long": "Shorten this to {limit} characters or fewer.",
}

DATE_MESSAGES: Mapping[str, str] = {
    "greater_than": "Choose a date after {limit}.",
    "greater_than_equal": "Choose {limit} or a later date.",
    "less_than": "Choose a date before {limit}.",
    "less_than_equal": "Choose {limit} or an earlier date.",
}

PARTICULAR_MESSAGES: Mapping[Kind | None, Mapping[str, str]] = {
    "date": DATE_MESSAGES,
    "datetime-local": DATE_MESSAGES,
    "select": {"missing": NOT_CHOSEN},
    "checkboxes": {
        "too_short": "Choose {limit} or more.",
        "too_long": "Choose {limit} or fewer.",
    },
    "lines": {"too_short": "Write {limit} lines or more.", "too_long": "Write {limit} lines or fewer."},
}
"""Where a kind of field needs other words."""

LIMITS = (
    "max_length",
    "min_length",
    "ge",
    "gt",
    "le",
    "lt",
    "multiple_of",
    "max_digits",
    "decimal_places",
    "whole_digits",
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, as a page shows it."""

    name: str
    label: str
    help: str = ""
    kind: Kind = "text"
    value: str | bool | tuple[str, ...] = ""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    error: str | None = None
    placeholder: str = ""
    stored: bool = False
    """A secret is stored and stays if the field is left empty."""
    retype: bool = False
    """A secret was typed into a form that was not saved: it has to be typed again."""
    minimum: str | None = None
    maximum: str | None = None
    max_length: int | None = None
    step: str = "any"
    """Of a number, as HTML writes it."""


class ConfigurationErrors(Exception):  # noqa: N818 (it holds as many as there are)
    """A posted form that is refused: what to do, field by field, and for the form as a whole.

    `temporary` if the same form may be taken later.
    """

    def __init__(
        self, errors: Mapping[str, str], problem: str | None = None, *, temporary: bool = False
    ) -> None:
        super().__init__(", ".join(sorted(errors)) or problem)
        self.errors = dict(errors)
        self.problem = problem
        self.temporary = temporary


T = TypeVar("T")
Configuration = TypeVar("Configuration", bound=BaseModel)


class ConfigurationForm(Generic[Configuration]):
    """The form of one model. Built once, at start-up: a model that no form can show stops the service there."""

    def __init__(self, model: type[Configuration]) -> None:
        self.model = model
        self._inputs = {name: _Input.of(model, name, info) for name, info in model.model_fields.items()}

    def fields(
        self,
        current: Configuration | None,
        posted: Form | None,
        errors: Mapping[str, str],
        translate: Translate,
    ) -> list[Field]:
        """Show what was posted, else what is stored, else the defaults; never a secret."""
        return [
            _field(item, current, posted, errors.get(name), translate) for name, item in self._inputs.items()
        ]

    def read(self, posted: Form, current: Configuration | None, translate: Translate) -> Configuration:
        """Read a posted form; `current` gives the secrets that were left empty. Raises ConfigurationErrors."""
        given: dict[str, Any] = {}
        for name, item in self._inputs.items():
            if item.kind == "checkbox":
                given[name] = _ticked(posted, name)
            elif item.is_several:
                given[name] = item.entries(posted) or (None if item.nullable else [])
            elif text := item.text(posted):
                given[name] = _moment(text) if item.kind == "datetime-local" else text
            elif item.holds_secret(current):
                given[name] = getattr(current, name)
            elif item.nullable:
                given[name] = None
            elif item.may_be_blank:
                given[name] = ""
        try:
            return self.model.model_validate(given, by_alias=False, by_name=True)
        except ValidationError as refusal:
            found = refusal.errors(include_url=False, include_input=False)
        # Outside the handler, so that no traceback carries the values, secrets among them.
        raise self._explain(found, translate)

    def _explain(self, found: list[ErrorDetails], translate: Translate) -> ConfigurationErrors:
        errors: dict[str, str] = {}
        problem: str | None = None
        for error in found:
            name = str(error["loc"][0]) if error["loc"] else ""
            item = self._inputs.get(name)
            if item is None:
                problem = _message(error, None, translate)
            else:
                errors[name] = _message(error, item, translate)
        return ConfigurationErrors(errors, problem)


@dataclass(frozen=True, slots=True)
class _Input:
    """What the form knows about one field of the model before it knows any value."""

    name: str
    label: str
    help: str
    placeholder: str
    kind: Kind
    options: tuple[tuple[str, str], ...]
    default: object
    required: bool
    secret: bool
    nullable: bool
    may_be_blank: bool
    minimum: str | None
    maximum: str | None
    max_length: int | None
    step: str

    @classmethod
    def of(cls, model: type[BaseModel], name: str, info: FieldInfo) -> "_Input":
        if name in RESERVED:
            raise TypeError(
                f"{model.__name__}.{name}: the form uses this name itself. Give the field another name."
            )
        annotation, nullable, metadata = _unwrap(info.annotation, list(info.metadata))
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        element = _element(annotation)
        kind = _kind(annotation) if element is None else SEVERAL.get(_kind(element))
        if extra.get("multiline") is True and kind is not None:
            kind = MULTILINE.get(kind, kind)
        if kind is None:
            raise TypeError(
                f"{model.__name__}.{name}: a form cannot show {_type_name(info.annotation)}. Use {SHOWN}."
            )
        secret = _is(annotation, SecretStr)
        has_default = not info.is_required()
        limits = _limits(metadata)
        may_be_blank = has_default and not nullable and annotation is str
        is_whole = annotation is int
        minimum = _bound(limits, "ge", "gt", 1 if is_whole else 0)
        return cls(
            name=name,
            label=info.title or _words(name),
            help=info.description or "",
            placeholder=str(info.examples[0]) if info.examples and not secret else "",
            kind=kind,
            options=_options(element or annotation, extra.get("labels")),
            default=info.get_default(call_default_factory=True, validated_data={}) if has_default else None,
            required=kind != "checkbox"
            and not nullable
            and (limits.get("min_length", 0) > 0 if element is not None or may_be_blank else not has_default),
            secret=secret,
            nullable=nullable,
            may_be_blank=may_be_blank,
            minimum=minimum,
            maximum=_bound(limits, "le", "lt", -1 if is_whole else 0),
            max_length=limits.get("max_length") if element is None else None,
            step=_step(limits, minimum, is_whole=is_whole),
        )

    @property
    def is_several(self) -> bool:
        return self.kind in SEVERAL.values()

    def text(self, posted: Form) -> str:
        # A browser ends the lines of a text area with CR LF.
        text = posted[self.name].replace("\r\n", "\n")
        return text if self.secret and text.strip() else text.strip()

    def entries(self, posted: Form) -> list[str]:
        """What was ticked, or the lines that are not empty."""
        if self.kind == "checkboxes":
            return list(posted.values(self.name))
        return [line.strip() for line in posted[self.name].splitlines() if line.strip()]

    def holds_secret(self, current: BaseModel | None) -> bool:
        value = getattr(current, self.name, None)
        return isinstance(value, SecretStr) and value.get_secret_value() != ""


def _field(
    item: _Input,
    current: BaseModel | None,
    posted: Form | None,
    error: str | None,
    translate: Translate,
) -> Field:
    known = item.default if current is None else getattr(current, item.name)
    value: str | bool | tuple[str, ...]
    if item.kind == "checkbox":
        value = bool(known) if posted is None else _ticked(posted, item.name)
    elif item.is_several:
        entries = _as_texts(known) if posted is None else item.entries(posted)
        value = tuple(entries) if item.kind == "checkboxes" else "\n".join(entries)
    elif item.secret:
        value = ""
    else:
        value = _as_text(known) if posted is None else item.text(posted)
    stored = item.holds_secret(current)
    return Field(
        name=item.name,
        label=translate(item.label),
        help=translate(item.help) if item.help else "",
        kind=item.kind,
        value=value,
        required=item.required and not stored,
        options=_offered(item, translate),
        error=error,
        placeholder=item.placeholder,
        stored=stored,
        retype=item.secret and posted is not None and bool(item.text(posted)),
        minimum=item.minimum,
        maximum=item.maximum,
        max_length=item.max_length,
        step=item.step,
    )


def _offered(item: _Input, translate: Translate) -> tuple[tuple[str, str], ...]:
    options = tuple((value, translate(label)) for value, label in item.options)
    if item.kind != "select":
        return options
    if item.nullable:
        return (("", translate("No choice")), *options)
    if item.required:
        return (("", translate("Choose…")), *options)
    return options


def _message(error: ErrorDetails, item: _Input | None, translate: Translate) -> str:
    kind = item.kind if item else None
    if kind == "lines" and len(error["loc"]) > 1:
        number = int(error["loc"][1]) + 1
        return fill(translate(IN_LINE), line=number, message=_message(error, None, translate))
    context = error.get("ctx", {})
    if isinstance(context.get("error"), Exception):
        return translate(str(context["error"])) or translate(NOT_ACCEPTED)
    if error["type"] == "value_error" and "reason" in context:
        # The form in which Pydantic reports a bad e-mail address.
        return translate(BAD_ADDRESS)
    if kind != "checkboxes" and item is not None and context.get("min_length") == 1:
        return translate(EMPTY)
    if error["type"] == "string_pattern_mismatch" and item is not None and item.placeholder:
        return fill(translate(NOT_LIKE_EXAMPLE), example=item.placeholder)
    words = PARTICULAR_MESSAGES.get(kind, {}).get(error["type"]) or MESSAGES.get(error["type"])
    if words is None:
        return translate(error["msg"])
    limit = next((context[name] for name in LIMITS if name in context), "")
    if kind == "datetime-local":
        limit = f"{_as_text(_moment(str(limit))).replace('T', ' ')} UTC"
    return fill(translate(words), limit=limit)


def _ticked(posted: Form, name: str) -> bool:
    return posted[name].strip().lower() not in OFF


def _moment(text: str) -> datetime | str:
    """Read a moment, in UTC if it names no zone; what is none is left to the model to refuse."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_text(value: object) -> str:
    """Write a value as HTML's fields do."""
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        there = (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None)
        return there.isoformat(timespec="seconds" if there.second else "minutes")
    return str(value)


def _as_texts(values: Any) -> list[str]:
    texts = [_as_text(value) for value in values or ()]
    return sorted(texts) if isinstance(values, set | frozenset) else texts


def _unwrap(annotation: object, metadata: list[object]) -> tuple[object, bool, list[object]]:
    """Take `Annotated[...]` and `... | None` off a type; what they carried comes back beside it."""
    nullable = False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *carried = get_args(annotation)
            metadata = [*metadata, *carried]
        elif get_origin(annotation) in {Union, UnionType} and NoneType in get_args(annotation):
            nullable = True
            rest = tuple(argument for argument in get_args(annotation) if argument is not NoneType)
            annotation = Union[rest]  # noqa: UP007 (the members are known at run time only)
        else:
            return annotation, nullable, metadata


def _element(annotation: object) -> object:
    """Give what a list or a set holds; None if the type is neither."""
    kind, arguments = get_origin(annotation), get_args(annotation)
    if kind in {list, set, frozenset} or (kind is tuple and arguments[1:] == (Ellipsis,)):
        element, nullable, _metadata = _unwrap(arguments[0], [])
        return None if nullable else element
    return None


def _kind(annotation: object) -> Kind | None:
    if _options(annotation, None):
        return "select"
    if annotation in KINDS:
        return KINDS[annotation]
    return next((KINDS[kind] for kind in (SecretStr, AnyUrl) if _is(annotation, kind)), None)


def _options(annotation: object, labels: object) -> tuple[tuple[str, str], ...]:
    values: tuple[object, ...] = ()
    if get_origin(annotation) is Literal:
        values = get_args(annotation)
    elif _is(annotation, Enum):
        values = tuple(member.value for member in annotation)
    if not all(isinstance(value, str) for value in values):
        return ()
    named = labels if isinstance(labels, dict) else {}
    return tuple((str(value), str(named.get(value, _words(str(value))))) for value in values)


def _limits(metadata: list[object]) -> dict[str, Any]:
    return {
        name: getattr(entry, name)
        for entry in metadata
        for name in LIMITS
        if getattr(entry, name, None) is not None
    }


def _bound(limits: Mapping[str, Any], inclusive: str, exclusive: str, step: int) -> str | None:
    if inclusive in limits:
        return _as_text(limits[inclusive])
    if exclusive in limits:
        return _as_text(limits[exclusive] + step if step else limits[exclusive])
    return None


def _step(limits: Mapping[str, Any], minimum: str | None, *, is_whole: bool) -> str:
    """Say in which steps a number goes: browsers count them from the minimum."""
    multiple = limits.get("multiple_of")
    if multiple is not None:
        fits = minimum is None or Decimal(minimum) % Decimal(str(multiple)) == 0
        return _as_text(multiple) if fits else "any"
    if places := limits.get("decimal_places"):
        return _as_text(Decimal(1).scaleb(-places))
    return "1" if is_whole else "any"


def _is(annotation: object, kind: type[T]) -> TypeGuard[type[T]]:
    return isinstance(annotation, type) and issubclass(annotation, kind)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip().capitalize()


def _type_name(annotation: object) -> str:
    return annotation.__name__ if type(annotation) is type else str(annotation).replace("typing.", "")
