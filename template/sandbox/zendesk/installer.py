"""The app that installs the channel: a folder or a zip, which names the manifest (ZEN-05)."""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .model import NotDoneError
from .settings import Settings
from .verdicts import Remark, verdict

LARGEST_PACKAGE = 2 * 1024 * 1024
LARGEST_DOCUMENT = 1024 * 1024
"""Little of a package can be very much of what it holds."""

_OF_AN_INTERFACE = (
    "frameworkVersion",
    "location",
    "signedUrls",
    "domainWhitelist",
    "oauth",
    "experiments",
    "gaID",
    "remoteInstallationURL",
    "noTemplate",
    "marketingOnly",
)
"""Keys of a manifest that only an app with an interface has. The contract is about apps without one."""


class PackageRefusedError(NotDoneError):
    """Zendesk does not take an app's package; `remarks` are the reasons."""

    def __init__(self, package: Path, remarks: list[Remark]) -> None:
        super().__init__(f"{package} was refused: " + "; ".join(map(str, remarks)))
        self.remarks = remarks


def manifest_url_of(package: Path, settings: Settings) -> str:
    """Check a package as Zendesk does when it is uploaded, and read where the manifest is.

    Raises PackageRefusedError, and OSError or `zipfile.BadZipFile` for what cannot be read.
    """
    if package.is_dir():
        names = [file.relative_to(package).as_posix() for file in package.rglob("*") if file.is_file()]
        return _manifest_url(package, names, lambda name: (package / name).read_bytes(), settings)
    if package.stat().st_size > LARGEST_PACKAGE:
        raise PackageRefusedError(package, [_wrong("the package is larger than 2 MB")])
    with zipfile.ZipFile(package) as archive:
        for member in archive.infolist():
            if member.file_size > LARGEST_DOCUMENT and member.filename.endswith(".json"):
                raise PackageRefusedError(
                    package, [_wrong(f"{member.filename} is larger than 1 MB when unpacked")]
                )
        return _manifest_url(package, archive.namelist(), archive.read, settings)


def _manifest_url(package: Path, names: list[str], read: Callable[[str], bytes], settings: Settings) -> str:
    remarks: list[Remark] = []

    def document(name: str, schema: str, change: Callable[[bytes], bytes] = bytes) -> dict[str, Any]:
        if name not in names:
            remarks.append(_wrong(f"{name} is missing at the root of the package"))
            return {}
        found = verdict(schema, change(read(name)), settings)
        # What an uploader looks at is stricter than what travels: nothing passes with a remark only.
        remarks.extend(remark._replace(message=f"{name}: {remark.message}") for remark in found.remarks)
        return found.value if isinstance(found.value, dict) else {}

    def without_interface(content: bytes) -> bytes:
        interface = _interface(content)
        remarks.extend(map(_wrong, _sources(names) if interface is None else _faults(interface)))
        if interface is None:
            return content
        kept = {key: value for key, value in interface.items() if key not in _OF_AN_INTERFACE}
        return json.dumps(kept | {"requirementsOnly": True}).encode()

    manifest = document("manifest.json", "installer-app-manifest", without_interface)
    requirements = document("requirements.json", "installer-app-requirements")
    if locale := manifest.get("defaultLocale"):
        document(f"translations/{locale}.json", "installer-app-translation")
    if remarks:
        raise PackageRefusedError(package, remarks)
    (channel,) = requirements["channel_integrations"].values()
    return str(channel["manifest_url"])


def _interface(content: bytes) -> dict[str, Any] | None:
    """The manifest of an app with an interface; None for any other."""
    with suppress(ValueError):
        manifest = json.loads(content)
        if isinstance(manifest, dict) and "location" in manifest and not manifest.get("requirementsOnly"):
            return manifest
    return None


def _faults(manifest: dict[str, Any]) -> Iterator[str]:
    if manifest.get("frameworkVersion") != "2.0":
        yield 'manifest.json: an app with a location needs "frameworkVersion": "2.0"'
    if "noTemplate" in manifest:
        yield "manifest.json: noTemplate has no place in frameworkVersion 2.0"
    if manifest.get("marketingOnly"):
        yield "manifest.json: an app that is marketingOnly cannot have requirements"


def _sources(names: list[str]) -> Iterator[str]:
    for name in names:
        if name.endswith((".js", ".css")) or name.startswith("templates/"):
            yield f"{name}: an app without a location has no scripts, styles or templates"


def _wrong(message: str) -> Remark:
    return Remark("", message, ("SVC-12",))
