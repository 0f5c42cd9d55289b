"""The channel in Zendesk, as its service's manifest says."""

from collections.abc import Iterable
from pathlib import Path

from .app.packaging import FOLDER, NotPackedError, files_without_logo, zipped
from .validate.app_package import NoPackageError
from .zendesk import ManifestRefusedError, PackageRefusedError, Remark, Zendesk
from .zendesk.addresses import is_loopback_http
from .zendesk.installer import open_package


class RefusedError(Exception):
    """Zendesk does not take the manifest; the text says what is wrong with it, and what to do."""


class Installation:
    """What is installed follows its source, until somebody removes it in Zendesk."""

    def __init__(self, zendesk: Zendesk, source: str | Path) -> None:
        """Take the URL of a manifest, or the path of an installer app. A resumed session has it installed already."""
        self._zendesk = zendesk
        self._source = source
        known = zendesk.state.manifest
        self._wanted = known is None or known.url != source

    async def follow(self) -> None:
        """Install the channel, or read its manifest again. Raises RefusedError."""
        zendesk = self._zendesk
        if self._wanted:
            await self._install()
            self._wanted = False
        elif zendesk.state.manifest and not await zendesk.refresh_manifest():
            for exchange in zendesk.log.of("manifest")[-1:]:
                if refusals := [remark for remark in exchange.remarks if remark.refused]:
                    raise RefusedError(_text(f"Zendesk keeps its copy of {exchange.url}:", refusals))

    def show_own_app(self) -> None:
        """Show agents the pages of this project's app, which brings the channel that is installed. Raises RefusedError."""
        manifest = self._zendesk.state.manifest
        if manifest is None or not FOLDER.is_dir():
            return
        try:
            app = open_package(zipped(files_without_logo(FOLDER, manifest.url)), self._zendesk.settings)
        except (NoPackageError, NotPackedError) as error:
            raise RefusedError(f"The app in {FOLDER} is not shown: {error}") from None
        except PackageRefusedError as error:
            raise RefusedError(_text(f"The app in {FOLDER} is not shown:", error.remarks)) from None
        if app.places:
            app.files, app.folder, app.installed = {}, str(FOLDER.resolve()), True
            self._zendesk.apps.add(app)
            self._zendesk.changes.note()

    async def _install(self) -> None:
        try:
            await self._zendesk.install(self._source)
        except (ManifestRefusedError, PackageRefusedError) as error:
            text = _text(f"Zendesk refuses {self._source}:", error.remarks)
            if not self._zendesk.settings.allow_loopback_http and is_loopback_http(str(self._source)):
                text += "\n  It is on this machine, where --allow-http takes it as it is."
            raise RefusedError(text) from None


def _text(title: str, remarks: Iterable[Remark]) -> str:
    lines = [title]
    for remark in remarks:
        lines += [f"    {remark}", *([f"      {remark.remedy}"] if remark.remedy else [])]
    return "\n".join(lines)
