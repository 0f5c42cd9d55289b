"""Deploying: register, make a token, connect, upload, install, read back. Each step may be repeated without harm."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ..core.masking import remember
from .api import ZIS, Api, RefusedError
from .bundles import CONNECTION, bundle_for, connections_of, difference, job_specs_of, own
from .environments import DeploymentError

INSTALLATION = f"{ZIS}/registry/job_specs/install"
DESCRIPTION = "Tells the integration service what becomes of its tickets"


class Deployment:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._say = api.say
        self._integration = api.environment.integration
        self._registry = f"{ZIS}/registry/{self._integration}"
        self._of_integration = f"{ZIS}/integrations/{self._integration}"

    def register(self) -> str:
        """Register the integration, and give the numeric id of its OAuth client."""
        try:
            answer = self._api.as_admin("POST", self._registry, {"description": DESCRIPTION}).json()
        except RefusedError as error:
            if error.status == 409:
                return self._client_id()
            if error.status == 400 and "not available for upsert" in error.text:
                raise DeploymentError(
                    f"The name {self._integration} belongs to another Zendesk account; names are unique over all of "
                    f"Zendesk. Write another one into {self._api.environment.name} of environments.toml, such as "
                    f'zis_integration = "{self._integration}-{self._api.environment.subdomain}".'
                ) from None
            raise
        client = answer.get("zendesk_oauth_client") or {}
        if secret := client.get("secret"):
            remember(SecretStr(str(secret)))
        if not self._api.dry_run:
            self._say(
                f"{self._integration} is registered. Nothing needs the secret of its OAuth client, so it is not kept."
            )
        return str(client.get("id", f"(the number of the client zis_{self._integration})"))

    def make_token(self, *, renew: bool = False) -> None:
        """Have a token of the integration, in a file that this user alone can read."""
        if self._api.credentials.integration and not renew and self._token_works():
            self._say("The token works. --renew makes another one.")
            return
        asked = {"client_id": _number(self.register()), "scopes": ["read", "write"]}
        answer = self._api.as_admin("POST", "/api/v2/oauth/tokens", {"token": asked}).json()
        if self._api.dry_run:
            return
        token = str(answer["token"]["full_token"])
        remember(SecretStr(token))
        file = self._api.environment.secrets_file
        write_secret(file, f"ZIS_TOKEN={token}\n")
        self._say(f"The token is in {file}, which nobody else can read.")

    def connect(self, token: str, *, replace: bool = False) -> None:
        """Give the flows the token with which this service knows them."""
        remember(SecretStr(token))
        path = f"{self._of_integration}/connections/bearer_token"
        body = {"name": CONNECTION, "token": token, "allowed_domain": self._api.environment.service_host}
        if replace and CONNECTION in self._connections():
            self._api.as_integration("DELETE", f"{path}/{CONNECTION}")
        try:
            self._api.as_integration("POST", path, body)
        except RefusedError as error:
            if error.status != 409:
                raise
            self._say(
                f"The connection {CONNECTION} exists. Zendesk shows no tokens; --replace makes it again."
            )

    def upload(self, *, prune: bool = False) -> None:
        """Bring Zendesk to what the bundle says: upload if it differs, install every job spec, and read back."""
        local, uploaded = bundle_for(self._api.environment), self.uploaded()
        is_new = uploaded is None or own(uploaded) != own(local)
        if is_new:
            self._api.as_uploader("POST", f"{self._registry}/bundles", local)
            self._say("An upload detaches every job spec of the integration: they are installed again.")
        else:
            self._say("Zendesk has this bundle already.")
        self._install(local, prune=prune, detached=is_new)

    def install(self, *, prune: bool = False) -> None:
        """Install the job specs of what was uploaded."""
        bundle = self.uploaded()
        if bundle is None:
            raise DeploymentError("Nothing is uploaded yet: run `zis upload`.")
        self._install(bundle, prune=prune)

    def _install(self, bundle: dict[str, Any], *, prune: bool, detached: bool = False) -> None:
        """Install what is not, and fail unless Zendesk then says that each job spec is installed."""
        wanted, installed = job_specs_of(bundle), self.installed()
        # A dry run has not detached them.
        missing = wanted if detached and self._api.dry_run else _without(wanted, installed)
        troubles = []
        for name in missing:
            try:
                self._api.as_either("POST", INSTALLATION, job_spec_name=self._full(name))
            except RefusedError as error:
                troubles.append(str(error))
        for name in _without(installed, wanted):
            if prune:
                self._uninstall(name)
            else:
                self._say(
                    f"{name} is installed, and the bundle has it no more: it goes on taking events. --prune ends that."
                )
        if not self._api.dry_run and missing and (left := _without(wanted, self.installed())):
            reasons = "\n".join(troubles)
            raise DeploymentError(
                f"These job specs are not installed, so nothing starts their flows: {', '.join(left)}.\n{reasons}"
            )
        self._warn_of_connections(bundle)

    def uninstall(self) -> None:
        """Let no event start a flow any more. Zendesk keeps the bundle: it cannot be deleted."""
        for name in self.installed():
            self._uninstall(name)
        if not self._api.dry_run and (left := self.installed()):
            raise DeploymentError(f"Still installed: {', '.join(left)}.")

    def uploaded(self) -> dict[str, Any] | None:
        """What Zendesk has under the bundle's name."""
        name = bundle_for(self._api.environment)["name"]
        try:
            for bundle in self._api.pages(f"{self._registry}/bundles", "bundles"):
                if bundle.get("name") == name:
                    document = self._api.as_either("GET", f"{self._registry}/bundles/{bundle['uuid']}").json()
                    return document if isinstance(document, dict) else None
        except RefusedError as error:
            if "invalid integration key" in error.text:
                raise DeploymentError(f"{error}. Run `zis register` first.") from None
            raise
        return None

    def installed(self) -> list[str]:
        specs = self._api.pages(f"{self._registry}/job_specs", "job_specs")
        return [str(spec["name"]) for spec in specs if spec.get("installed")]

    def status(self) -> list[str]:
        """Say what is there, and what keeps the flows from running."""
        local, uploaded = bundle_for(self._api.environment), self.uploaded()
        lines = [f"integration {self._integration} at {self._api.environment.zendesk_url}"]
        if uploaded is None:
            return [*lines, "bundle: not uploaded"]
        lines.append(
            f"bundle: {'differs from' if difference(uploaded, local) else 'is'} {Path('zis', 'bundle.json')}"
        )
        wanted, installed = job_specs_of(local), self.installed()
        lines += [
            f"job spec {name}: {'installed' if name in installed else 'NOT installed'}" for name in wanted
        ]
        lines += [f"job spec {name}: left over, and still installed" for name in _without(installed, wanted)]
        needed = sorted(connections_of(local))
        if not self._api.credentials.integration:
            return [*lines, *(f"connection {name}: shown once `zis token` has run" for name in needed)]
        there = self._connections()
        return lines + [f"connection {name}: {'there' if name in there else 'MISSING'}" for name in needed]

    def _uninstall(self, name: str) -> None:
        try:
            self._api.as_either("DELETE", INSTALLATION, job_spec_name=self._full(name))
        except RefusedError as error:
            if error.status != 404:
                raise

    def _full(self, name: str) -> str:
        return f"zis:{self._integration}:job_spec:{name}"

    def _warn_of_connections(self, bundle: dict[str, Any]) -> None:
        if not self._api.credentials.integration:
            return
        for name in sorted(connections_of(bundle) - set(self._connections())):
            self._say(
                f"The connection {name} does not exist, without which the flow does not start: run `zis connect`."
            )

    def _connections(self) -> Sequence[str]:
        path = f"{self._of_integration}/connections/all"
        document = self._api.as_integration("GET", path, **{"page[size]": "100"}).json()
        return [str(each["name"]) for each in document.get("connections", [])]

    def _token_works(self) -> bool:
        try:
            self._connections()
        except RefusedError as error:
            if error.status == 401:
                return False
            raise
        return True

    def _client_id(self) -> str:
        document = self._api.as_admin("GET", "/api/v2/oauth/clients.json").json()
        for client in document.get("clients", []):
            if client.get("identifier") == f"zis_{self._integration}":
                return str(client["id"])
        raise DeploymentError(f"Zendesk shows no OAuth client zis_{self._integration}.")


def _without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    return [name for name in names if name not in others]


def write_secret(file: Path, text: str) -> None:
    """Write a file that this user alone can read, also if it was there already."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text
