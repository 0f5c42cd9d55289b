"""An app's package, a folder or a zip: read within bounds, and judged as Zendesk judges it when it is uploaded."""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from . import app_rules
from .documents import Document, Place, Problem, UnreadableError, read
from .findings import Finding, finding_of, finding_of_rule, findings
from .rules import Broken, as_object

LARGEST_PACKAGE = 2 * 1024 * 1024
LARGEST_CONTENT = 32 * 1024 * 1024
"""Of all files together, unpacked. Zendesk names no limit; an app that is smaller than 2 MB as a zip stays far below."""
MOST_FILES = 2_000
_LEFT_OUT = "tmp"
"""Folder in which Zendesk's tools keep packages; it belongs to none."""


class NoPackageError(Exception):
    """What was named is no package; the text says why, and what to do."""


def read_package(source: Path | bytes) -> dict[str, bytes]:
    """Read what is in a folder, or in a zip and its bytes. Raises NoPackageError."""
    try:
        return _folder(source) if isinstance(source, Path) and source.is_dir() else _zip(source)
    except OSError as error:
        raise NoPackageError(f"The package cannot be read: {error}.") from None
    except ValueError as error:
        raise NoPackageError(f"This is no path: {error}.") from None


def judge(files: dict[str, bytes], shown: str = "") -> list[Finding]:
    """Say what Zendesk says of a package, and what we add as warnings; `shown` stands before the names of files."""
    return [found._replace(file=f"{shown}{found.file}") for found in _judged(files)]


def manifest_url(files: dict[str, bytes]) -> str | None:
    """Return the address in a package's requirements, which have passed; None if it installs no channel."""
    channels = as_object(_value(files, "requirements.json").get("channel_integrations"))
    return next((str(channel["manifest_url"]) for channel in channels.values()), None)


def manifest_of(files: dict[str, bytes]) -> dict[str, Any]:
    """Return a package's manifest; an empty one if it cannot be read."""
    return _value(files, "manifest.json")


def english_texts(files: dict[str, bytes]) -> dict[str, Any]:
    """Return what a package says of itself, in its default language."""
    locale = manifest_of(files).get("defaultLocale", "en")
    return as_object(_value(files, f"translations/{locale}.json").get("app"))


def _folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_symlink() or not file.is_file() or _is_left_out(name):
            continue
        size += file.stat().st_size
        _bound(len(files) + 1, size)
        files[name] = file.read_bytes()
    return files


def _zip(source: Path | bytes) -> dict[str, bytes]:
    length = source.stat().st_size if isinstance(source, Path) else len(source)
    if length > LARGEST_PACKAGE:
        raise NoPackageError(
            f"The package has {length:,} bytes, and Zendesk takes 2 MB. Remove what is not needed at run time."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            return _unpacked(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise NoPackageError(f"The package is no zip that can be read: {error}. Make it again.") from None


def _unpacked(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    # What an entry says of its size is a claim; what is read is counted as well.
    _bound(len(entries), sum(entry.file_size for entry in entries))
    files: dict[str, bytes] = {}
    room = LARGEST_CONTENT
    for entry in entries:
        name = entry.filename
        if _is_left_out(name) or stat.S_ISLNK(entry.external_attr >> 16):
            continue
        if name.startswith("/") or ".." in PurePosixPath(name).parts or "\\" in name:
            raise NoPackageError(f"The package has a file {name!r} outside of its own folder. Make it again.")
        with archive.open(entry) as content:
            files[name] = content.read(room + 1)
        room -= len(files[name])
        _bound(len(files), LARGEST_CONTENT - room)
    return files


def _bound(count: int, size: int) -> None:
    if count > MOST_FILES or size > LARGEST_CONTENT:
        raise NoPackageError(
            f"The package has more than {MOST_FILES:,} files, or {LARGEST_CONTENT:,} bytes unpacked. "
            "Name the folder of the app alone, and remove what is not needed at run time."
        )


def _is_left_out(name: str) -> bool:
    return PurePosixPath(name).parts[:1] == (_LEFT_OUT,)


def _judged(files: dict[str, bytes]) -> Iterator[Finding]:
    if "manifest.json" not in files:
        yield _of_file("manifest.json", app_rules.missing_manifest(files))
        return
    app = manifest_of(files)
    yield from _document(
        "manifest.json", "installer-app-manifest", files, lambda value: app_rules.manifest(value, files)
    )
    if "requirements.json" in files:
        yield from _document("requirements.json", "installer-app-requirements", files, app_rules.requirements)
    for file in sorted(files):
        if (locale := app_rules.locale_of(file)) is not None:
            english = locale == "en"
            yield from _document(
                file,
                "installer-app-translation",
                files,
                lambda value, english=english: app_rules.translation(value, app, english=english),
            )
    for file, broken in app_rules.package(files, app):
        yield _of_file(file, broken)


_BROKEN_JSON = {
    "installer-app-manifest": ("manifest_not_json", "duplicate_manifest_keys"),
    "installer-app-requirements": ("requirements_not_json", "duplicate_requirements"),
    "installer-app-translation": ("translation.not_json", ""),
}


def _document(file: str, schema: str, files: dict[str, bytes], checks: Any) -> Iterator[Finding]:
    not_json, twice = _BROKEN_JSON[schema]
    try:
        document = read(files[file])
    except UnreadableError as error:
        yield finding_of(file, schema, error.problem._replace(keyword=not_json))
        return
    if document.is_form:
        yield finding_of(file, schema, _no_json(not_json))
        return
    for problem in document.problems:
        check = twice if problem.keyword == "duplicate-key" else not_json
        found = finding_of(file, schema, problem._replace(keyword=check or problem.keyword))
        yield found if check else found._replace(severity="warning")
    bare = Document(document.text, value=document.value, starts=document.starts, keys=document.keys)
    yield from findings(file, schema, bare, checks)


def _no_json(check: str) -> Problem:
    return Problem(Place(1, 1), "", check, "this is a form, where JSON must be", "Write JSON.")


def _of_file(file: str, broken: Broken) -> Finding:
    return finding_of_rule(file, None, (1, 1), broken)


def _value(files: dict[str, bytes], name: str) -> dict[str, Any]:
    try:
        document = read(files[name])
    except (KeyError, UnreadableError):
        return {}
    return as_object(document.value)
