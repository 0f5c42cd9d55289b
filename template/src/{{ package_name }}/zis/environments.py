"""Environments: in which Zendesk account a bundle runs, under which name, and which service it calls."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..identity import SLUG

FILE = Path("environments.toml")
ZENDESK = ".zendesk.com"


class DeploymentError(Exception):
    """Nothing more was done; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Environment:
    name: str
    integration: str
    """Unique over all of Zendesk."""
    zendesk_url: str
    subdomain: str
    service_url: str

    @property
    def service_host(self) -> str:
        return urlsplit(self.service_url).hostname or ""

    @property
    def secrets_file(self) -> Path:
        """Where the integration's own token is kept."""
        return Path("var", f"zis-{self.name}.env")


def environment_of(name: str, file: Path = FILE) -> Environment:
    """Read a table of `environments.toml`. Raises DeploymentError."""
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise DeploymentError(
            f"There is no {file} here. Run this command in the project's own folder."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeploymentError(f"{file} cannot be read: {error}.") from None
    table = tables.get(name)
    if not isinstance(table, dict):
        known = ", ".join(key for key, value in tables.items() if isinstance(value, dict)) or "none so far"
        raise DeploymentError(f"{file} has no environment {name}; it has {known}. Add [{name}] there.")
    zendesk_url, manifest_url = (
        str(table.get(key, "")).rstrip("/") for key in ("zendesk_url", "manifest_url")
    )
    zendesk, manifest = urlsplit(zendesk_url), urlsplit(manifest_url)
    if not zendesk.hostname or not manifest.hostname:
        key = "manifest_url" if zendesk.hostname else "zendesk_url"
        raise DeploymentError(f"{file}: [{name}] has no {key}, such as {EXAMPLES[key]}.")
    of_host = zendesk.hostname.removesuffix(ZENDESK) if zendesk.hostname.endswith(ZENDESK) else ""
    subdomain = str(table.get("subdomain", of_host))
    if not subdomain:
        raise DeploymentError(f"{file}: [{name}] needs a subdomain, because {zendesk_url} does not name it.")
    return Environment(
        name=name,
        integration=str(table.get("zis_integration", f"{SLUG}-{name}"[:64])),
        zendesk_url=zendesk_url,
        subdomain=subdomain,
        service_url=f"{manifest.scheme}://{manifest.netloc}",
    )


EXAMPLES = {
    "zendesk_url": '"https://acme.zendesk.com"',
    "manifest_url": '"https://reviews.example.com/channel/manifest"',
}
