"""The template of the stack, read as far as its tests need it."""

import re
from pathlib import Path
from typing import Any

import yaml

SECRET = re.compile(r"\{\{resolve:secretsmanager:\$\{Secret\}:SecretString:(\w+)::\$\{SecretVersion\}\}\}")
"""A value out of the secret, in the version that is a parameter of the stack."""


class _Loader(yaml.SafeLoader):
    """Reads the short forms of functions: `!Ref Api` as {"Ref": "Api"}."""


def _function(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        argument: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        argument = loader.construct_mapping(node, deep=True)
    return {name if name == "Ref" else f"Fn::{name}": argument}


_Loader.add_multi_constructor("!", _function)


class Stack:
    def __init__(self, folder: Path) -> None:
        text = (folder / "template.yaml").read_text(encoding="utf-8")
        template = yaml.load(text, _Loader)  # noqa: S506
        self.parameters: dict[str, dict[str, Any]] = template["Parameters"]
        self.resources: dict[str, dict[str, Any]] = template["Resources"]
        self.variables: dict[str, Any] = self["Service"]["Environment"]["Variables"]

    def __getitem__(self, name: str) -> dict[str, Any]:
        """The properties of a resource."""
        found: dict[str, Any] = self.resources[name]["Properties"]
        return found

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: self[name] for name, each in self.resources.items() if each["Type"] == kind}

    def environment(self, secret: dict[str, str], **parameters: str) -> dict[str, str]:
        """The variables as the function gets them, under a host name of one's own."""

        def resolved(value: Any) -> str:
            match value:
                case {"Ref": name}:
                    return parameters[name]
                case {"Fn::If": ["OwnDomain", own, _]}:
                    return resolved(own)
                case {"Fn::Sub": str(text)}:
                    text = SECRET.sub(lambda found: secret.get(found[1], ""), text)
                    return re.sub(r"\$\{(\w+)\}", lambda found: parameters[found[1]], text)
                case _:
                    return str(value)

        return {name: resolved(value) for name, value in self.variables.items()}
