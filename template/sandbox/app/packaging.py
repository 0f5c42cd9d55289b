"""Packs the installer app for one environment. The same input gives the same bytes, on every machine."""

import io
import json
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..validate.app_package import english_texts, manifest_of, read_package
from ..validate.app_rules import locale_of
from ..validate.rules import as_object
from ..wire import is_https_url
from . import logo

FOLDER = Path("installer_app")
ENVIRONMENTS = Path("environments.toml")
BUNDLE = Path("zis", "bundle.json")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644
_NOBODYS = re.compile(r"//[^/]*\b(?:example\.(?:com|net|org)|example|invalid|test)(?=[:/]|$)", re.IGNORECASE)


_INTEGRATION = re.compile(r'"zis:(?!common:)([a-z0-9_-]{1,64}):')


class NotPackedError(Exception):
    """No package was made; the text says why, and what to do."""


def manifest_url_of(environment: str, file: Path = ENVIRONMENTS) -> str:
    """Read where Zendesk finds the manifest in an environment. Raises NotPackedError."""
    try:
        environments = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise NotPackedError(
            f"There is no {file} here. Run this command in the project's own folder."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotPackedError(f"{file} cannot be read: {error}.") from None
    known = {name: entry for name, entry in environments.items() if isinstance(entry, dict)}
    if environment not in known:
        names = ", ".join(known) or "none so far"
        raise NotPackedError(
            f"{file} has no environment {environment}; it has {names}. Add [{environment}] there."
        )
    url = known[environment].get("manifest_url")
    if not isinstance(url, str) or not is_https_url(url):
        raise NotPackedError(
            f"{file}: manifest_url of {environment} is {json.dumps(url)}, which is no https URL. Zendesk takes such a "
            "package, and then cannot install it. Write the https address at which Zendesk reaches the manifest."
        )
    if _NOBODYS.search(url):
        raise NotPackedError(
            f"{file}: manifest_url of {environment} is {url}, an address that belongs to nobody. "
            "Write the one at which Zendesk reaches the service."
        )
    return url


def integration_of(environment: str, file: Path = ENVIRONMENTS) -> str | None:
    """Read what the environment's integration is called in Integration Services, if anything is said of it."""
    named = tomllib.loads(file.read_text("utf-8"))[environment].get("zis_integration")
    return named if isinstance(named, str) else None


def packed_files(
    folder: Path, manifest_url: str, environment: str = "development", integration: str | None = None
) -> dict[str, bytes]:
    """Return what goes into the package: the folder's files, this manifest's address, pages' texts, and the logo.

    Raises NoPackageError, and NotPackedError where the requirements do not have the one channel.
    """
    files = files_without_logo(folder, manifest_url, environment, integration)
    drawn = logo.logo_of(str(english_texts(files).get("name") or manifest_of(files).get("name") or ""))
    sizes = {"assets/logo.png": logo.SIZE, "assets/logo-small.png": logo.SMALL}
    files.setdefault("assets/logo.svg", logo.svg(drawn))
    files |= {name: logo.png(drawn, size) for name, size in sizes.items() if name not in files}
    return files


def files_without_logo(
    folder: Path, manifest_url: str, environment: str = "development", integration: str | None = None
) -> dict[str, bytes]:
    """Return the same but for what takes long to draw."""
    files = {
        name: content
        for name, content in read_package(folder).items()
        if not any(part.startswith(".") for part in name.split("/")) and name != "zcli.apps.config.json"
    }
    files |= _texts(files)
    files |= _bundle(folder.parent / BUNDLE, manifest_url, environment, integration)
    files["requirements.json"] = _requirements(files.get("requirements.json", b"{}"), manifest_url)
    return files


def zipped(files: dict[str, bytes]) -> bytes:
    """Make a zip; it is not compressed, since versions of zlib differ in what they make of the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system = 3
            entry.external_attr = _MODE << 16
            archive.writestr(entry, files[name])
    return stream.getvalue()


def _texts(files: dict[str, bytes]) -> dict[str, bytes]:
    """Copy what pages say below assets/: of an app's files Zendesk serves no others."""
    texts: dict[str, Any] = {}
    for name, content in files.items():
        if locale := locale_of(name):
            try:
                own = {key: value for key, value in as_object(json.loads(content)).items() if key != "app"}
            except (ValueError, RecursionError):
                # What is wrong with it is found when the package is judged.
                continue
            texts |= {locale: own} if own else {}
    return {"assets/translations.json": json.dumps(texts, sort_keys=True).encode()} if texts else {}


def _bundle(file: Path, manifest_url: str, environment: str, integration: str | None) -> dict[str, bytes]:
    """Give the app's page what it brings to Integration Services, if the project has a bundle."""
    if not file.is_file():
        return {}
    content = file.read_text("utf-8")
    try:
        bundle = json.loads(content)
    except ValueError as error:
        raise NotPackedError(f"{file} is no JSON: {error}.") from None
    named = _INTEGRATION.search(content)
    own = f"{named[1] if named else 'integration'}-{environment}"[:64]
    parts = urlsplit(manifest_url)
    service = f"{parts.scheme}://{parts.netloc}"
    written = {
        "environment": environment,
        "integration": integration or own,
        "service": service,
        "bundle": bundle,
    }
    return {"assets/zis.json": (json.dumps(written, ensure_ascii=False, indent=2) + "\n").encode()}


def _requirements(content: bytes, manifest_url: str) -> bytes:
    try:
        requirements = json.loads(content)
        (channel,) = requirements["channel_integrations"].values()
        channel["manifest_url"] = manifest_url
    except (ValueError, KeyError, AttributeError, TypeError):
        raise NotPackedError(
            f"{FOLDER}/requirements.json does not name one channel, into which the manifest's address could be "
            'written. Write {"channel_integrations": {"a_name": {"manifest_url": ""}}}.'
        ) from None
    return (json.dumps(requirements, ensure_ascii=False, indent=2) + "\n").encode()
