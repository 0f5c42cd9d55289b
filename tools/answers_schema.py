"""The schema of a Copier data file, derived from the questions of copier.yml and from their validators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from questionnaire import Questionnaire

Schema = dict[str, Any]

DESCRIPTION = (
    "Answers to this template's questions, for `copier copy --data-file`; those left out keep their defaults. "
    "An answer must have the type of its question, although Copier turns any value into that type: it would take "
    "an origin called `no` for `False`. Unknown names, and answers to questions that the other answers hide, are "
    "refused, although Copier ignores them."
)


def answers_schema(form: Questionnaire) -> Schema:
    """Return what accepts a set of answers exactly when Copier would take each as it stands."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:zendesk-channel:schema:answers",
        "title": "Answers",
        "description": DESCRIPTION,
        "type": "object",
        "required": [name for name in form.asked if "default" not in form.questions[name]],
        "properties": {name: _answer(form, name) for name in form.asked},
        "additionalProperties": False,
        "dependentSchemas": {
            name: _together(_beside_others(form, name))
            for name in form.asked
            if "when" in form.questions[name] or form.conditions(name)
        },
    }


def _answer(form: Questionnaire, name: str) -> Schema:
    question = form.questions[name]
    answer: Schema = {"description": " ".join(question["help"].split())}
    if question.get("multiselect"):
        answer |= {"type": "array", "items": {"enum": form.choices(name)}}
    elif question.get("choices"):
        answer |= {"enum": form.choices(name)}
    else:
        answer |= {"type": {"str": "string", "bool": "boolean"}[question["type"]]}
    validator = form.parse(question.get("validator", ""))
    answer |= _together(_allowed(form, branch) for branch in validator.find_all(nodes.If))
    default = question.get("default")
    if isinstance(default, str) and not set(form.questions) & form.read_by(default) - {name}:
        default = form.render(default, {})
    if default is not None and not (isinstance(default, str) and "{{" in default):
        answer["default"] = default
    if "placeholder" in question:
        answer["examples"] = [question["placeholder"]]
    return answer


def _beside_others(form: Questionnaire, name: str) -> Iterator[Schema]:
    """Yield what an answer that is given asks of the answers to other questions."""
    if "when" in form.questions[name]:
        yield _asked_when(form, form.questions[name]["when"])
    for choice, validator in form.conditions(name).items():
        for branch in form.parse(validator).find_all(nodes.If):
            excluding, other = _any_of(branch.test)
            if set(excluding) & set(form.questions[other]["default"]):
                raise NotImplementedError(f"say as JSON Schema that {other} excludes {choice} by default")
            yield {
                "description": _sentence(branch),
                "if": {"required": [other], "properties": {other: {"contains": _one_of(excluding)}}},
                "then": {"properties": {name: {"not": {"const": choice}}}},
            }


def _sentence(branch: nodes.If) -> str:
    """Return what a branch of a validator says."""
    said = [text.data for part in branch.body for text in part.find_all(nodes.TemplateData)]
    return " ".join("".join(said).split())


def _asked_when(form: Questionnaire, when: str) -> Schema:
    match form.parse(when).body:
        case [nodes.Output(nodes=[condition])]:
            choices, other = _any_of(condition)
            needed: Schema = {
                "properties": {
                    other: {
                        "description": (
                            f"The question is asked only if this holds {' or '.join(f'`{c}`' for c in choices)}."
                        ),
                        "contains": _one_of(choices),
                    }
                }
            }
            by_default = set(choices) & set(form.questions[other]["default"])
            return needed if by_default else {"required": [other], **needed}
    raise NotImplementedError(f"say as JSON Schema when a question is asked: {when}")


def _any_of(condition: nodes.Node) -> tuple[list[str], str]:
    """Read `'a' in question or 'b' in question`: the choices, and the question."""
    match condition:
        case nodes.Or(left=left, right=right):
            (first, name), (second, _) = _any_of(left), _any_of(right)
            return [*first, *second], name
        case nodes.Compare(
            expr=nodes.Const(value=choice), ops=[nodes.Operand(op="in", expr=nodes.Name(name=name))]
        ):
            return [choice], name
    raise NotImplementedError(f"say as JSON Schema when a question is asked: {condition}")


def _one_of(choices: list[str]) -> Schema:
    return {"const": choices[0]} if len(choices) == 1 else {"enum": choices}


def _allowed(form: Questionnaire, branch: nodes.If) -> Schema:
    """Return the schema of what one branch of a validator lets pass."""
    match branch.test:
        case nodes.And(
            left=others,
            right=nodes.Compare(
                expr=nodes.Const(value=last), ops=[nodes.Operand(op="notin", expr=nodes.Name())]
            ),
        ):
            chosen, needed = _lacking(others)
            rule = {"if": {"contains": {"const": chosen}}, "then": {"contains": _one_of([*needed, last])}}
            return {"allOf": [{"description": _sentence(branch), **rule}]}
        case nodes.And(left=nodes.Name(), right=rest):
            return {"if": {"minLength": 1}, "then": _unless(form, rest)}
        case test:
            return _unless(form, test)


def _lacking(condition: nodes.Node) -> tuple[str, list[str]]:
    """Read `'a' in question and 'b' not in question`: what is chosen, and what is not."""
    match condition:
        case nodes.And(
            left=others,
            right=nodes.Compare(
                expr=nodes.Const(value=last), ops=[nodes.Operand(op="notin", expr=nodes.Name())]
            ),
        ):
            chosen, needed = _lacking(others)
            return chosen, [*needed, last]
        case nodes.Compare(expr=nodes.Const(value=chosen), ops=[nodes.Operand(op="in", expr=nodes.Name())]):
            return chosen, []
    raise NotImplementedError(f"say as JSON Schema what this condition of a validator refuses: {condition}")


def _unless(form: Questionnaire, refused: nodes.Node) -> Schema:
    match refused:
        case nodes.Not(node=nodes.Call(node=nodes.Getattr(node=nodes.Name(), attr="strip"))):
            return {"minLength": 1, **_never(r"^\s+$")}
        case nodes.Compare(
            expr=nodes.Name(),
            ops=[nodes.Operand(op="ne", expr=nodes.Call(node=nodes.Getattr(attr="strip")))],
        ):
            return _never(r"^\s|\s$")
        case nodes.Compare(
            expr=nodes.Filter(name="length"), ops=[nodes.Operand(op="gt", expr=nodes.Const(value=limit))]
        ):
            return {"maxLength": limit}
        case nodes.Compare(
            expr=nodes.Name()
            | nodes.Filter(name="replace", args=[nodes.Const(value="-"), nodes.Const(value="_")]),
            ops=[
                nodes.Operand(
                    op="in", expr=nodes.Call(node=nodes.Getattr(node=nodes.Name(name=fact), attr="split"))
                )
            ],
        ):
            # Where the validator puts underscores for hyphens, either spelling is refused.
            between = "[-_]" if isinstance(refused.expr, nodes.Filter) else "_"
            names = "|".join(name.replace("_", between) for name in form.questions[fact]["default"].split())
            return _never(rf"^(?:{names})$(?!\n)")
        case nodes.Filter(name="regex_search", node=nodes.Name(), args=[nodes.Const(value=pattern)]):
            return _never(pattern)
        case nodes.Not(
            node=nodes.Filter(name="regex_search", node=nodes.Name(), args=[nodes.Const(value=pattern)])
        ):
            return {"pattern": pattern}
    raise NotImplementedError(f"say as JSON Schema what this condition of a validator refuses: {refused}")


def _never(pattern: str) -> Schema:
    return {"not": {"type": "string", "pattern": pattern}}


def _together(schemas: Iterable[Schema]) -> Schema:
    """Join what must all hold; of several forbidden patterns one remains, which any of them matches."""
    joined: Schema = {}
    for schema in schemas:
        for keyword, value in schema.items():
            if keyword not in joined:
                joined[keyword] = value
            elif keyword == "allOf":
                joined["allOf"] = [*joined["allOf"], *value]
            elif keyword == "not":
                joined |= _never(f"{joined['not']['pattern']}|{value['pattern']}")
            else:
                raise NotImplementedError(f"join two conditions that both become the keyword {keyword}")
    return joined
