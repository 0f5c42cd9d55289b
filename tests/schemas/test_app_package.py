"""`sandbox/validate/app_package.py` and `app_rules.py`: packages are judged as Zendesk's own validator judges them."""

import io
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sandbox.app.__main__ import main
from sandbox.app.logo import logo_of, svg
from sandbox.validate.app_package import NoPackageError, judge, read_package

CORPUS = json.loads(Path(__file__).with_name("app_packages.json").read_text("utf-8"))["packages"]
SAME = {
    "NoMethodError: undefined method `keys' for []:Array": "requirements_not_an_object",
    "unacceptable_array": "parameters_not_an_array",
    "manifest_keys.missing": "required",
    "missing_required_fields": "required",
    "translation.missing_required_key": "required",
    "translation.missing_required_key_on_leaf": "required",
}
"""What is the same by another name: the schema says it too, or Zendesk says it twice or by accident."""
CHANNEL = {"channel_integrations": {"acme": {"manifest_url": "https://svc.example.com/manifest"}}}


def png(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


BINARY = {
    "banner_1660x400": png(1660, 400),
    "banner_830x200": png(830, 200),
    "banner_wrong": png(100, 100),
    "logo_png_any_size": png(1, 1),
    "pdf_inside": b"%PDF-1.4\n",
    "zip_in_tmp": b"PK\x05\x06" + bytes(18),
    "zip_inside": b"PK\x05\x06" + bytes(18),
}


def content(name: str, text: str) -> bytes:
    if text.startswith("(binary "):
        return BINARY[name]
    if text.startswith("(the channel entry plus "):
        macros = {f"m{number}": {"title": "M"} for number in range(int(text.split()[4]))}
        return json.dumps(CHANNEL | {"macros": macros}).encode()
    return text.encode()


def zipped(name: str) -> bytes:
    """A package of the corpus as a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        if name == "symlink":
            for file, text in CORPUS["requirements_only"]["files"].items():
                archive.writestr(file, text)
            link = zipfile.ZipInfo("l")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "manifest.json")
        else:
            for file, text in CORPUS[name]["files"].items():
                archive.writestr(file, content(name, text))
    return stream.getvalue()


@pytest.mark.parametrize("name", CORPUS)
def test_a_package_gets_zendesks_verdict(name: str) -> None:
    found = judge(read_package(zipped(name)))
    errors = {SAME.get(finding.keyword, finding.keyword) for finding in found if finding.severity == "error"}
    if name == "req_http":
        # The package can be uploaded, and its installation then fails.
        assert errors == {"insecure_manifest_url"}
        return
    assert errors == {SAME.get(said, said) for said in CORPUS[name]["verdict"]}
    if CORPUS[name]["warnings"]:
        assert "warning" in {finding.severity for finding in found}
    for finding in found:
        assert finding.message
        assert finding.remedy


# --- Folders, zips and their bounds -------------------------------------------------------------------


def written(folder: Path, name: str = "requirements_only") -> Path:
    for file, text in CORPUS[name]["files"].items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content(name, text))
    return folder


def test_a_folder_is_judged_as_its_zip_is(tmp_path: Path) -> None:
    for name in ("requirements_only", "reqonly_js", "zip_in_tmp", "tr_no_name"):
        assert read_package(written(tmp_path / name, name)) == read_package(zipped(name))


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"manifest.json": b" " * 50_000_000}, "unpacked"),
        ({f"{number}.html": b"" for number in range(2_001)}, "2,000 files"),
        ({"../manifest.json": b"{}"}, "outside of its own folder"),
    ],
)
def test_a_zip_is_read_within_bounds(files: dict[str, bytes], told: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    with pytest.raises(NoPackageError, match=told):
        read_package(stream.getvalue())


def test_a_zip_that_lies_about_its_size_is_read_within_bounds() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * 50_000_000)
    lying = stream.getvalue().replace(struct.pack("<I", 50_000_000), struct.pack("<I", 10))
    with pytest.raises(NoPackageError):
        read_package(lying)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(17), bytes(3 * 1024 * 1024)])
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    with pytest.raises(NoPackageError):
        read_package(content)


def test_what_another_app_may_have_is_not_remarked_on() -> None:
    """An app with a sidebar, and with texts of its own, is not held to what an installer app has."""
    for name in ("ui_sidebar_with_channel", "tr_extra_toplevel", "param_secure_scopes"):
        assert judge(read_package(zipped(name))) == []


# --- The command --------------------------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "installer_app")
    environment("production", "https://reviews.acme.dev/channel/manifest")
    return tmp_path


def environment(name: str, url: str) -> None:
    Path("environments.toml").write_text(f"[{name}]\nmanifest_url = {json.dumps(url)}\n", "utf-8")


def test_the_same_files_give_the_same_bytes(project: Path) -> None:
    assert run("package", "--env", "production", "--output", "first.zip").exit_code == 0
    for file in (project / "installer_app").rglob("*"):
        os.utime(file, (1, 1))
    (project / "installer_app/.env").write_text("A=1")
    (project / "installer_app/tmp").mkdir()
    (project / "installer_app/tmp/old.zip").write_bytes(b"")
    assert run("package", "--env", "production", "--output", "second.zip").exit_code == 0
    first = (project / "first.zip").read_bytes()
    assert first == (project / "second.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == [
            "assets/logo-small.png",
            "assets/logo.png",
            "assets/logo.svg",
            "manifest.json",
            "requirements.json",
            "translations/en.json",
        ]
        assert {(entry.date_time, entry.external_attr >> 16) for entry in archive.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 0o100644)
        }
        (channel,) = json.loads(archive.read("requirements.json"))["channel_integrations"].values()
        assert channel == {"manifest_url": "https://reviews.acme.dev/channel/manifest"}
        for name, side in (("logo", 320), ("logo-small", 128)):
            assert archive.read(f"assets/{name}.png")[:24] == png(side, side)[:24]
    checked = run("validate", "first.zip")
    assert checked.exit_code == 0
    assert checked.output == "1 package checked, nothing is wrong.\n"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://reviews.acme.dev/channel/manifest", "no https URL. Zendesk takes such a package"),
        ("", "no https URL"),
        ("{{setting.url}}", "no https URL"),
        ("https://acme-reviews.example.com/channel/manifest", "belongs to nobody"),
    ],
)
def test_an_address_at_which_zendesk_finds_nothing_is_refused(project: Path, url: str, told: str) -> None:
    environment("production", url)
    result = run("package", "--env", "production")
    assert result.exit_code == 1
    assert told in result.output
    assert not (project / "dist").exists()


def test_nothing_is_packed_that_zendesk_refuses(project: Path) -> None:
    (project / "installer_app/app.js").write_text("1")
    result = run("package", "--env", "production")
    assert result.exit_code == 1
    assert "no scripts" in result.output
    assert not (project / "dist").exists()


def test_no_package_is_written_into_the_app(project: Path) -> None:
    result = run("package", "--env", "production", "--output", "installer_app/app.zip")
    assert result.exit_code == 1
    assert "lies inside of" in result.output
    inside = run("package", "--env", "production", "--output", "installer_app/tmp/app.zip")
    assert inside.exit_code == 0
    assert (project / "installer_app/tmp/app.zip").is_file()


@pytest.mark.usefixtures("project")
def test_an_unknown_environment_is_told_those_that_there_are() -> None:
    result = run("package", "--env", "staging")
    assert result.exit_code == 1
    assert "no environment staging; it has production" in result.output


def test_a_package_can_be_a_folder_with_a_logo_of_ones_own(project: Path) -> None:
    (project / "installer_app/assets").mkdir()
    (project / "installer_app/assets/logo.png").write_bytes(png(1, 1))
    assert run("package", "--env", "production", "--unpacked").exit_code == 0
    unpacked = project / "dist/installer_app-production"
    assert (unpacked / "assets/logo.png").read_bytes() == png(1, 1)
    assert run("validate", str(unpacked)).exit_code == 0


def test_findings_are_told_for_people_and_for_programs(tmp_path: Path) -> None:
    folder = str(written(tmp_path / "app", "tr_no_name"))
    for_people = run("validate", folder)
    assert for_people.exit_code == 1
    assert (
        "translations/en.json:1:9: installer-app-translation/required /app: `name` is missing"
        in for_people.output
    )
    assert "remedy: Add `name`." in for_people.output
    (error,) = [
        found
        for found in json.loads(run("validate", folder, "--output", "json").output)
        if found["severity"] == "error"
    ]
    assert error["file"] == f"{folder}/translations/en.json"
    assert run("validate", str(tmp_path / "nowhere")).exit_code == 2


@pytest.mark.parametrize("name", ["Acme Reviews", "9 lives", "R", "クチコミ", "Émile's"])
def test_a_logo_is_drawn_from_any_name(name: str) -> None:
    drawn = logo_of(name)
    drawing = svg(drawn).decode()
    assert "<text" not in drawing
    assert ("stroke-linecap" in drawing) == bool(re.search("[A-Za-zÉ0-9]", name))
    assert drawing == svg(logo_of(name)).decode()
