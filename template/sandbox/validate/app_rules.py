"""What Zendesk's own validator says of an app's files. The names of the checks are those of its error messages."""

import json
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..wire import is_https_url, pointer_of
from .explanations import missing
from .rules import Broken, as_array, as_object, listed

Files = Mapping[str, bytes]
"""What is in a package, by path."""

MOST_REQUIREMENTS = 5_000
MOST_LEGACY_CUSTOM_OBJECTS = 50
FRAMEWORK_VERSION = "2.0"
LOCATIONS = {
    "support": (
        "background",
        "modal",
        "nav_bar",
        "new_ticket_sidebar",
        "organization_sidebar",
        "system_top_bar",
        "ticket_editor",
        "ticket_module",
        "ticket_sidebar",
        "top_bar",
        "user_sidebar",
    ),
    "chat": ("background", "chat_sidebar"),
    "sell": (
        "background",
        "company_card",
        "dashboard",
        "deal_card",
        "lead_card",
        "modal",
        "nav_bar",
        "person_card",
        "system_top_bar",
        "top_bar",
    ),
}
"""Where apps may be shown, by product."""
_OLD_PRODUCTS = {"zendesk": "support", "zopim": "chat"}

INTERFACE_KEYS = (
    "domainWhitelist",
    "experiments",
    "frameworkVersion",
    "gaID",
    "location",
    "marketingOnly",
    "noTemplate",
    "oauth",
    "remoteInstallationURL",
    "signedUrls",
)
"""Keys of a manifest that only an app with an interface has."""

PARAMETER_TYPES = ("text", "multiline", "number", "checkbox", "url", "hidden", "oauth")
SCOPES = (
    "header",
    "body",
    "url",
    "jwt_secret_key",
    "jwt_claim",
    "basic_auth_username",
    "basic_auth_password",
)
BANNERS = ((830, 200), (1660, 400))
_SUFFIXES = (
    *(
        "7z",
        "avi",
        "bin",
        "bz",
        "bz2",
        "csh",
        "doc",
        "docx",
        "gzip",
        "jar",
        "mp3",
        "mpeg",
        "odt",
        "pdf",
        "ppt",
    ),
    *("pptx", "rar", "sh", "vnd.rar", "xls", "xlsx", "zip"),
)
_BEGINNINGS = (
    b"%PDF-",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!",
    b"\x1f\x8b",
    b"BZh",
    b"7z\xbc\xaf\x27\x1c",
)
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = (".css", ".hdbs", ".html", ".js", ".json", ".svg")
_SECRET_WORDS = re.compile(
    r"pass|secret|auth_?key|auth_user|AuthUser|username|api_key|authPass|BEGIN [A-Z]+ PRIVATE KEY", re.ASCII
)
_SECURABLE = re.compile("token|key|pwd|password", re.IGNORECASE)
_LOCALE = re.compile(r"[a-z]{2,3}(?:-\w{2,3})?", re.ASCII)
_URL = re.compile(r"https?://[^\s/]+\S*", re.ASCII)

_ZAS = ("ZAS",)
_MANIFEST = ("SVC-12",)
_CHANNEL = ("SVC-11",)


def _error(pointer: str, check: str, wrong: str, remedy: str, rules: tuple[str, ...] = _MANIFEST) -> Broken:
    return Broken(pointer, check, wrong, remedy, _ZAS, rules)


def _warning(pointer: str, check: str, wrong: str, remedy: str) -> Broken:
    return Broken(pointer, check, wrong, remedy, _ZAS, (), "warning")


def _absent(pointer: str, check: str, key: str, rules: tuple[str, ...] = _MANIFEST) -> Broken:
    return _error(pointer, check, *missing(key), rules)


# --- manifest.json --------------------------------------------------------------------------------


def manifest(value: Any, files: Files | None = None) -> Iterator[Broken]:
    """Judge a manifest, and what it says of the package's other files where they are known."""
    if not isinstance(value, dict):
        yield _error("", "manifest_not_an_object", "the manifest is no JSON object", "Write an object.")
        return
    for key in ("author", "defaultLocale"):
        if value.get(key) is None:
            yield _absent("", "manifest_keys.missing", key)
    yield from _types(value)
    yield from _default_locale(value.get("defaultLocale"), files)
    yield from _urls(value)
    yield from _parameters(value)
    if value.get("requirementsOnly") or value.get("marketingOnly"):
        yield from _no_interface(value)
    else:
        yield from _interface(value, files)
        if value.get("noTemplate"):
            yield _error(
                "/noTemplate",
                "no_template_deprecated_in_v2",
                "noTemplate has no place in framework version 2.0",
                'Remove it, or write "autoLoad": false at the location.',
            )


def _types(value: dict[str, Any]) -> Iterator[Broken]:
    for key in ("requirementsOnly", "marketingOnly", "singleInstall", "signedUrls", "private"):
        if key in value and not isinstance(value[key], bool) and (key == "private" or value[key] is not None):
            yield _not(f"/{key}", "unacceptable_boolean", "true or false")
    strings = (
        "defaultLocale",
        "version",
        "frameworkVersion",
        "remoteInstallationURL",
        "termsConditionsURL",
        "gaID",
    )
    author = as_object(value.get("author"))
    for pointer, part in [(f"/{key}", value.get(key)) for key in strings] + [
        (f"/author/{key}", author.get(key)) for key in ("name", "email", "url")
    ]:
        if part is not None and not isinstance(part, str):
            yield _not(pointer, "unacceptable_string", "a string")
    if value.get("author") is not None and not isinstance(value["author"], dict):
        yield _not("/author", "unacceptable_hash", "an object")
    if not isinstance(value.get("experiments") or {}, dict):
        yield _not("/experiments", "unacceptable_hash", "an object")
    hosts = value.get("domainWhitelist")
    if hosts is not None and not (isinstance(hosts, list) and all(isinstance(host, str) for host in hosts)):
        yield _not("/domainWhitelist", "unacceptable_array_of_strings", "an array of strings")


def _not(pointer: str, check: str, wanted: str) -> Broken:
    return _error(pointer, check, f"this is not {wanted}", f"Write {wanted}.")


def _default_locale(locale: Any, files: Files | None) -> Iterator[Broken]:
    if not isinstance(locale, str):
        return
    if not _LOCALE.fullmatch(locale):
        yield _error(
            "/defaultLocale",
            "invalid_default_locale",
            f"{json.dumps(locale)} is no language tag",
            'Write a tag such as "en" or "en-GB".',
        )
    elif files is not None and f"translations/{locale}.json" not in files:
        yield _error(
            "/defaultLocale",
            "missing_translation_file",
            f"there is no translations/{locale}.json",
            "Add that file, or name the language of one that is there.",
        )


def _urls(value: dict[str, Any]) -> Iterator[Broken]:
    places = {
        "/termsConditionsURL": value.get("termsConditionsURL"),
        "/author/url": as_object(value.get("author")).get("url"),
    }
    for pointer, url in places.items():
        if isinstance(url, str) and url and not _URL.fullmatch(url):
            yield _error(
                pointer,
                "invalid_url",
                f"{json.dumps(url)} is no URL",
                "Write the whole address, from https:// on.",
            )


def _parameters(value: dict[str, Any]) -> Iterator[Broken]:
    given = value.get("parameters")
    if value.get("marketingOnly"):
        if as_array(given):
            yield _error(
                "/parameters",
                "no_parameters_required",
                "an app that is only marketed has no parameters",
                "Remove them, or marketingOnly.",
            )
        if value.get("private", True):
            yield _error(
                "/private" if "private" in value else "",
                "marketing_only_app_cant_be_private",
                "an app that is only marketed is not private",
                'Write "private": false.',
            )
        return
    if given is not None and not isinstance(given, list):
        yield _not("/parameters", "parameters_not_an_array", "an array")
    known: set[Any] = set()
    for number, parameter in enumerate(as_array(given)):
        pointer = pointer_of(["parameters", number])
        if not isinstance(parameter, dict):
            yield _not(pointer, "unacceptable_hash", "an object")
            continue
        yield from _parameter(pointer, parameter)
        name = json.dumps(parameter.get("name"))
        if name in known:
            yield _error(
                pointer,
                "duplicate_parameters",
                f"there is a parameter {name} already",
                "Give each a name of its own.",
            )
        known.add(name)


def _parameter(pointer: str, parameter: dict[str, Any]) -> Iterator[Broken]:
    kind, secure = parameter.get("type") or "text", parameter.get("secure")
    if parameter.get("name") == "name":
        yield _error(
            f"{pointer}/name",
            "name_as_parameter_name",
            "`name` is the app's own name in the account",
            "Choose another name.",
        )
    for key in ("required", "secure"):
        if parameter.get(key) is not None and not isinstance(parameter[key], bool):
            yield _not(f"{pointer}/{key}", "unacceptable_boolean", "true or false")
    if kind not in PARAMETER_TYPES:
        remedy = (
            'Write "type": "text", "secure": true and the scopes.'
            if kind == "password"
            else (f"Write one of {listed(PARAMETER_TYPES)}.")
        )
        yield _error(
            f"{pointer}/type", "invalid_type_parameter", f"there is no type {json.dumps(kind)}", remedy
        )
    if kind == "hidden" and parameter.get("required"):
        yield _error(
            f"{pointer}/required",
            "invalid_hidden_parameter",
            "nobody can fill in what is hidden",
            'Write "required": false.',
        )
    if kind == "oauth" and secure:
        yield _error(
            f"{pointer}/secure",
            "oauth_parameter_cannot_be_secure",
            "a parameter of type oauth is secure by itself",
            "Remove secure.",
        )
    yield from _secrecy(pointer, parameter, kind)


def _secrecy(pointer: str, parameter: dict[str, Any], kind: Any) -> Iterator[Broken]:
    name, secure, scopes = (parameter.get(key) for key in ("name", "secure", "scopes"))
    if scopes is not None:
        yield from _scopes(f"{pointer}/scopes", scopes, secure=bool(secure))
    elif secure:
        yield _warning(
            pointer,
            "secure_parameters_with_no_scopes",
            "this secure parameter may be used in every part of a request",
            f"Write the scopes that it needs, of {listed(SCOPES)}.",
        )
    if "default" in parameter and (secure or kind == "hidden"):
        yield _warning(
            f"{pointer}/default",
            "default_secure_or_hidden_parameter",
            "everybody who has the package can read this default",
            "Remove it.",
        )
    if kind in ("text", "password") and not secure and isinstance(name, str) and _SECURABLE.search(name):
        yield _warning(
            pointer,
            "insecure_token_parameter",
            "its name says that this is a secret, which every agent's browser gets",
            'Write "secure": true and the scopes that it needs.',
        )


def _scopes(pointer: str, scopes: Any, *, secure: bool) -> Iterator[Broken]:
    if not secure:
        yield _error(
            pointer,
            "field_requires_secure_parameter",
            "only a secure parameter has scopes",
            'Write "secure": true, or remove the scopes.',
        )
    if scopes in ([], ""):
        yield _error(
            pointer, "field_cannot_be_empty", "the scopes are empty", f"Write some of {listed(SCOPES)}."
        )
    elif not isinstance(scopes, list) or any(scope not in SCOPES for scope in scopes):
        yield _error(
            pointer,
            "field_contains_invalid_values",
            "these are not all scopes of secure parameters",
            f"Write an array of some of {listed(SCOPES)}.",
        )


def _no_interface(value: dict[str, Any]) -> Iterator[Broken]:
    key = "requirementsOnly" if value.get("requirementsOnly") else "marketingOnly"
    if value.get("location"):
        yield _error(
            "/location",
            "no_location_required",
            f"an app that is {key} is shown nowhere",
            f"Remove location, or {key} if it has an interface.",
        )
    if value.get("frameworkVersion") is not None:
        yield _error(
            "/frameworkVersion",
            "no_framework_version_required",
            f"an app that is {key} uses no framework",
            f"Remove frameworkVersion, or {key} if it has an interface.",
        )


def _interface(value: dict[str, Any], files: Files | None) -> Iterator[Broken]:
    shown = [
        (pointer, product, where, at)
        for pointer, product, places in _products(value.get("location"))
        for where, at in places.items()
    ]
    if not any(product in LOCATIONS for _, product, _, _ in shown):
        yield _error(
            "",
            "manifest_keys.missing",
            "`location` is missing, or names no product of Zendesk's",
            'Write where the app is shown, or "requirementsOnly": true if it has no interface.',
        )
    for pointer, product, _ in _products(value.get("location")):
        if product not in LOCATIONS:
            yield _error(
                pointer,
                "invalid_host",
                f"Zendesk has no product {json.dumps(product)}",
                f"Write one of {listed(LOCATIONS)}.",
            )
    for pointer, product, where, at in shown:
        if product in LOCATIONS:
            yield from _location(pointer_of([where]), pointer, product, where, at, files)
    yield from _framework_version(value, shown=bool(shown))


def _products(location: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if isinstance(location, str | list):
        places = [location] if isinstance(location, str) else location
        yield "/location", "support", {str(where): None for where in places}
        return
    for product, places in as_object(location).items():
        yield pointer_of(["location", product]), _OLD_PRODUCTS.get(product, product), as_object(places)


def _location(
    key: str, parent: str, product: str, where: str, at: Any, files: Files | None
) -> Iterator[Broken]:
    pointer = parent + key if isinstance(at, dict | str) else parent
    if where not in LOCATIONS[product]:
        yield _error(
            pointer,
            "invalid_location",
            f"{product} has no place {json.dumps(where)}",
            f"Write one of {listed(LOCATIONS[product])}.",
        )
    options = at if isinstance(at, dict) else {"url": at}
    url, flexible = options.get("url"), options.get("flexible")
    at_url = f"{pointer}/url" if "url" in as_object(at) else pointer
    if isinstance(url, str) and url:
        if "{{setting." not in url and not _leads_somewhere(url, files):
            yield _error(
                at_url,
                "invalid_location_uri",
                f"{json.dumps(url)} is neither a file below assets/ nor an https URL",
                "Write assets/ and the name of a file that is there, or an https URL.",
            )
    elif options.get("autoLoad", True) and isinstance(at, dict):
        yield _error(
            pointer, "blank_location_uri", "there is no url", "Write the url of the page that is shown here."
        )
    if flexible is not None and not isinstance(flexible, bool):
        yield _not(f"{pointer}/flexible", "invalid_location_flexible_type", "true or false")
    if where == "nav_bar" and files is not None and "assets/icon_nav_bar.svg" not in files:
        yield _warning(
            pointer,
            "nav-bar-icon",
            "there is no assets/icon_nav_bar.svg, without which Zendesk has refused to install apps",
            "Add the icon.",
        )


def _leads_somewhere(url: str, files: Files | None) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme:
        return parts.scheme == "https" or parts.hostname == "localhost"
    return parts.path.startswith("assets/") and (files is None or parts.path in files)


def _framework_version(value: dict[str, Any], *, shown: bool) -> Iterator[Broken]:
    version = value.get("frameworkVersion")
    if version == FRAMEWORK_VERSION:
        return
    if version is None:
        yield _absent("", "manifest_keys.missing", "frameworkVersion")
    wanted = f'Write "frameworkVersion": "{FRAMEWORK_VERSION}".'
    if shown and not str(version).startswith("2"):
        yield _error(
            "/location",
            "locations_cant_be_urls",
            "only framework version 2.0 shows a page by its url",
            wanted,
        )
    pointer = "/frameworkVersion" if version is not None else ""
    yield _error(pointer, "invalid_version", "Zendesk serves no app of another version than 2.0", wanted)


# --- requirements.json ----------------------------------------------------------------------------


TITLED = ("automations", "macros", "targets", "ticket_fields", "triggers", "views")
KEYED = ("organization_fields", "user_fields")
KINDS = (*TITLED, *KEYED, "channel_integrations", "custom_objects", "custom_objects_v2", "webhooks")
_WEBHOOK_KEYS = ("name", "status", "endpoint", "http_method", "request_format")
_TARGETS_THAT_ARE_GONE = ("http_target", "url_target_v2")


def requirements(value: Any) -> Iterator[Broken]:
    """Judge what an app asks for."""
    if not isinstance(value, dict):
        yield _error(
            "",
            "requirements_not_an_object",
            "the requirements are no JSON object",
            "Write an object.",
            _CHANNEL,
        )
        return
    for kind in value:
        if kind not in KINDS:
            yield _error(
                pointer_of([kind]),
                "invalid_requirements_types",
                f"there is no kind of requirement {json.dumps(kind)}",
                f"Write one of {listed(sorted(KINDS))}.",
                _CHANNEL,
            )
    yield from _counts(value)
    yield from _channels(as_object(value.get("channel_integrations")))
    for kind in (*TITLED, *KEYED):
        for name, wanted in as_object(value.get(kind)).items():
            yield from _lacking(kind, name, wanted, ("title", "key") if kind in KEYED else ("title",))
            if kind == "targets" and as_object(wanted).get("type") in _TARGETS_THAT_ARE_GONE:
                yield _error(
                    pointer_of([kind, name, "type"]),
                    "invalid_requirements_types",
                    "Zendesk makes no targets of this type any more",
                    "Ask for a webhook instead.",
                    _CHANNEL,
                )
    for name, wanted in as_object(value.get("webhooks")).items():
        yield from _lacking("webhooks", name, wanted, _WEBHOOK_KEYS)


def _lacking(kind: str, name: str, wanted: Any, keys: Iterable[str]) -> Iterator[Broken]:
    if wanted is not None:
        for key in keys:
            if key not in as_object(wanted):
                yield _absent(pointer_of([kind, name]), "missing_required_fields", key, _CHANNEL)


def _channels(channels: dict[str, Any]) -> Iterator[Broken]:
    if len(channels) > 1:
        yield _error(
            "/channel_integrations",
            "multiple_channel_integrations",
            f"an app installs one channel, and these are {len(channels)}",
            "Keep one, and make an app for each other one.",
            _CHANNEL,
        )
    for name, channel in channels.items():
        pointer = pointer_of(["channel_integrations", name])
        if "manifest_url" not in as_object(channel):
            yield _absent(pointer, "missing_required_fields", "manifest_url", ("SVC-01", "SVC-11"))
            continue
        url = channel["manifest_url"]
        if not is_https_url(url) and not (isinstance(url, str) and "{{setting." in url):
            yield Broken(
                f"{pointer}/manifest_url",
                "insecure_manifest_url",
                f"{json.dumps(url)} is no https URL: the package can be uploaded, and its installation then fails",
                "Write the https address at which Zendesk reaches the manifest.",
                ("D:channel_app",),
                ("SVC-01", "SVC-11"),
            )


def _counts(value: dict[str, Any]) -> Iterator[Broken]:
    total = sum(map(_leaves, value.values()))
    if total > MOST_REQUIREMENTS:
        yield _error(
            "",
            "excessive_requirements",
            f"{total:,} requirements are more than {MOST_REQUIREMENTS:,}",
            f"Keep at most {MOST_REQUIREMENTS:,}, and make the others by other means.",
            (),
        )
    legacy = _leaves(value.get("custom_objects"), level=2)
    if legacy > MOST_LEGACY_CUSTOM_OBJECTS:
        yield _error(
            "/custom_objects",
            "excessive_custom_objects_requirements",
            f"{legacy} legacy custom objects are more than {MOST_LEGACY_CUSTOM_OBJECTS}",
            f"Keep at most {MOST_LEGACY_CUSTOM_OBJECTS}, or describe them in `custom_objects_v2`.",
            (),
        )


def _leaves(value: Any, level: int = 1) -> int:
    """Count what stands in an object or an array, `level` levels deep."""
    inside = value.values() if isinstance(value, dict) else as_array(value)
    return len(inside) if level == 1 else sum(_leaves(item, level - 1) for item in inside)


# --- translations/ --------------------------------------------------------------------------------


def translation(
    value: Any, app: Mapping[str, Any] | None = None, *, english: bool = True
) -> Iterator[Broken]:
    """Judge an app's texts in one language. Those of an app for everybody are asked for more, in English."""
    if not isinstance(value, dict):
        yield _error("", "translation.not_json_object", "this is no JSON object", "Write an object.")
        return
    texts = value.get("app")
    if isinstance(texts, dict) and texts.get("package"):
        yield from _for_translators(value)
        return
    if english:
        if not isinstance(texts, dict):
            yield _absent("", "translation.missing_required_key", "app")
            return
        for key in ["name"] if (app or {}).get("private", True) else _FOR_EVERYBODY:
            if key not in texts and not (key == "short_description" and "description" in texts):
                yield _absent("/app", "translation.missing_required_key", key)
    yield from _labels(as_object(texts))


_FOR_EVERYBODY = ("name", "short_description", "long_description", "installation_instructions")


def _labels(texts: dict[str, Any]) -> Iterator[Broken]:
    for name, words in as_object(texts.get("parameters")).items():
        if isinstance(words, dict) and "label" not in words:
            yield _absent(
                pointer_of(["app", "parameters", name]), "translation.missing_required_key_on_leaf", "label"
            )


def _for_translators(value: dict[str, Any]) -> Iterator[Broken]:
    """With `package` the file is of the form that Zendesk's translators use: a title and a value for each text."""

    def walk(part: Any, path: tuple[str, ...]) -> Iterator[Broken]:
        if not isinstance(part, dict):
            yield _error(
                pointer_of(path),
                "translation.invalid_format",
                "with `package` each text is an object of `title` and `value`",
                "Remove `package`, or write each text in that form.",
            )
        elif set(part) != {"title", "value"}:
            for key, inner in part.items():
                if path or key != "package":
                    yield from walk(inner, (*path, key) if path != ("app",) or key != "package" else path)

    texts = {key: text for key, text in value["app"].items() if key != "package"}
    yield from walk({**value, "app": texts}, ())


def locale_of(file: str) -> str | None:
    """Return the language that a file of translations is named after, None for any other file."""
    match = re.fullmatch(r"translations/(.*)\.json", file)
    return match[1] if match else None


# --- The whole package ----------------------------------------------------------------------------


def package(files: Files, app: Mapping[str, Any]) -> Iterator[tuple[str, Broken]]:
    """Judge what is in a package, beside what its JSON files say."""
    for file, content in sorted(files.items()):
        for check in (_kind_of_file, _locale, _dotfile, _secrets, _insecure_addresses, _drawing):
            for broken in check(file, content):
                yield file, broken
    if app.get("requirementsOnly"):
        for file in sorted(files):
            if file.endswith((".js", ".css")) or file.startswith("templates/"):
                yield (
                    file,
                    _error(
                        "",
                        "no_source_required_apps",
                        "an app that is requirementsOnly has no scripts, styles or templates, wherever they lie",
                        "Remove the file, or keep it outside the app's folder.",
                    ),
                )
    if "assets/banner.png" in files:
        for broken in _banner(files["assets/banner.png"]):
            yield "assets/banner.png", broken
    yield from _absent_files(files, app)


def _absent_files(files: Files, app: Mapping[str, Any]) -> Iterator[tuple[str, Broken]]:
    has_requirements = "requirements.json" in files
    if app.get("requirementsOnly") and not has_requirements:
        yield (
            "requirements.json",
            _error(
                "",
                "missing_requirements",
                "requirements.json is missing at the root of the package, and there is nothing else to install",
                'Add it, with the channel, or remove "requirementsOnly".',
                _CHANNEL,
            ),
        )
    elif app.get("marketingOnly") and has_requirements:
        yield (
            "requirements.json",
            _error(
                "",
                "requirements_not_supported",
                "an app that is only marketed installs nothing",
                "Remove requirements.json, or marketingOnly.",
                _CHANNEL,
            ),
        )


def missing_manifest(files: Files) -> Broken:
    nested = sorted(file for file in files if re.fullmatch(r"[^/]+/manifest\.json", file))
    if nested:
        return _error(
            "",
            "nested_manifest",
            f"manifest.json is missing at the root of the package; there is {nested[0]}",
            f"Zip what is in the folder {nested[0].partition('/')[0]}, without the folder itself.",
        )
    return _error(
        "",
        "missing_manifest",
        "manifest.json is missing at the root of the package",
        "Name the folder, or the zip of its content, in which manifest.json lies.",
    )


def _kind_of_file(file: str, content: bytes) -> Iterator[Broken]:
    if file.rpartition(".")[2] in _SUFFIXES or content.startswith(_BEGINNINGS):
        yield _error(
            "",
            "unsupported_mime_type_detected",
            "Zendesk takes no archives, documents, programs or films in a package",
            "Remove the file, or keep it outside the app's folder or below tmp/.",
        )


def _locale(file: str, content: bytes) -> Iterator[Broken]:
    locale = locale_of(file)
    if locale is not None and not _LOCALE.fullmatch(locale):
        yield _error(
            "",
            "translation.invalid_locale",
            f"{json.dumps(locale)} is no language tag",
            "Name the file by a tag such as en or en-GB.",
        )


def _banner(content: bytes) -> Iterator[Broken]:
    if not content.startswith(_PNG) or len(content) < 24:
        yield _error("", "banner.invalid_format", "this is no PNG image", "Save the banner as PNG.")
    elif (size := struct.unpack(">II", content[16:24])) not in BANNERS:
        yield _error(
            "",
            "banner.invalid_size",
            f"the banner is {size[0]} by {size[1]} pixels",
            "Make it 830 by 200 or 1660 by 400 pixels.",
        )


def _dotfile(file: str, content: bytes) -> Iterator[Broken]:
    if any(part.startswith(".") for part in file.split("/")):
        yield _warning(
            "",
            "dotfile",
            "everybody who has the package can read this hidden file",
            "Keep it outside the app's folder.",
        )


def _secrets(file: str, content: bytes) -> Iterator[Broken]:
    if not file.endswith(_TEXTS):
        return
    if word := _SECRET_WORDS.search(content.decode(errors="replace")):
        yield _warning(
            "",
            "generic_secrets",
            f"{json.dumps(word[0])} in it may be a secret, which everybody who has the package can read",
            "Remove the secret, or choose another word if it is none.",
        )


def _insecure_addresses(file: str, content: bytes) -> Iterator[Broken]:
    if file.endswith((".js", ".html")) and (url := re.search(rb"http://[^\s\"'<>]+", content)):
        yield _warning(
            "",
            "insecure_http_request",
            f"it names {url[0].decode(errors='replace')}, which browsers do not load into Zendesk's pages",
            "Write https:// where it is loaded; leave xmlns out of an svg inside a page.",
        )


def _drawing(file: str, content: bytes) -> Iterator[Broken]:
    if file.endswith(".svg") and (found := re.search(rb"<script|<image|data:image|\son\w+=", content)):
        yield _warning(
            "",
            "dirty_svg",
            f"Zendesk takes {found[0].decode().strip()!r} out of drawings",
            "Draw it with shapes and paths alone.",
        )


CHECKS: dict[str, Callable[[Any], Iterator[Broken]]] = {
    "installer-app-manifest": manifest,
    "installer-app-requirements": requirements,
    "installer-app-translation": translation,
}
"""What is checked where one file is all that is known."""
