"""The target systemd, judged by systemd and ShellCheck, by the project's own tests, and by installing it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import Ended, environment, run, uv_binary
from documents import manual, shell_blocks, under
from hosting import JUDGED
from mistakes import Mistake, broken, named, overlooked
from validators import SYSUSERS, put_units, require_systemd, shellcheck, systemd_verdict, sysusers
from validators import systemd as verified

if TYPE_CHECKING:
    from conftest import Hosted
    from projects import Project

FOLDER = "deploy/systemd"
WEB, WORKER, BACKUP, TIMER = (
    f"{FOLDER}/acme-reviews{rest}"
    for rest in (".service", "-worker.service", "-backup.service", "-backup.timer")
)
CADDY, INSTALL, COMMAND, SCRIPT = (
    f"{FOLDER}/{name}" for name in ("caddy.conf", "install.sh", "command.sh", "backup.py")
)

EXPOSURE = {WEB: 13, WORKER: 13, BACKUP: 6}
"""The most that systemd-analyze may find, in tenths; without any of the units' precautions it is 96."""

SEEN_BY_SYSTEMD = [
    Mistake("misspells a key", WEB, "Restart=always", "Restarts=always", "'Restarts'"),
    Mistake("restarts sometimes", WEB, "Restart=always", "Restart=sometimes", "sometimes"),
    Mistake("takes a relative path", WEB, "ExecStart=/opt", "ExecStart=opt", "absolute path"),
    Mistake("starts nothing", WEB, "/bin/acme-reviews serve", "/bin/acme serve", "not executable"),
    Mistake("stops in words", WEB, "TimeoutStopSec=70", "TimeoutStopSec=a minute", "a minute"),
    Mistake("allows no port", WEB, "tcp:8000", "tcp:http", "SocketBindAllow"),
    Mistake("invents a section", WORKER, "[Install]", "[Installation]", "Unknown section"),
    Mistake("invents a family", WORKER, "AF_UNIX AF_INET", "AF_UNIX AF_IPV4", "AF_IPV4"),
    Mistake("protects partly", WORKER, "ProtectSystem=strict", "ProtectSystem=partly", "partly"),
    Mistake("filters nothing", WORKER, "~@privileged", "~@privilege", "@privilege"),
    Mistake("invents a type", WORKER, "Type=exec", "Type=process", "process"),
    Mistake("starts a script", BACKUP, "current/bin/python", "current/bin/python9", "not executable"),
    Mistake("is nice in words", BACKUP, "Nice=10", "Nice=very", "very"),
    Mistake("reads and writes", BACKUP, "IOSchedulingClass=idle", "IOSchedulingClass=lazy", "lazy"),
    Mistake(
        "asks for no path",
        BACKUP,
        "ConditionPathExists=/var",
        "ConditionPathExists=var",
        "ConditionPathExists",
    ),
    Mistake("is open", BACKUP, "UMask=0077", "UMask=closed", "closed"),
    Mistake("runs at no hour", TIMER, "03:00:00", "25:00:00", "25:00:00"),
    Mistake("waits for some time", TIMER, "30min", "some", "ignoring: some"),
    Mistake("never runs", TIMER, "OnCalendar=*-*-* 03:00:00\n", "", "lacks value setting"),
    Mistake("misspells a key", TIMER, "Persistent=", "Persist=", "'Persist'"),
    Mistake("calls another", TIMER, "[Timer]", "[Timer]\nUnit=backup", "Unit"),
    Mistake("adds a command", CADDY, "ExecStart=\n", "", "more than one ExecStart"),
    Mistake("takes a relative path", CADDY, "=/usr/bin/caddy run", "=caddy/run", "caddy/run"),
    Mistake("misspells a section", CADDY, "[Service]", "[Services]", "Unknown section"),
    Mistake("misspells a key", CADDY, "EnvironmentFile", "EnvironmentFiles", "'EnvironmentFiles'"),
    Mistake("reads a relative file", CADDY, "File=/etc", "File=etc", "EnvironmentFile"),
]

SEEN_BY_SYSUSERS = [
    Mistake("makes nothing that it knows", SYSUSERS, "u acme", "x acme", "Unknown command type"),
    Mistake("makes a group alone", SYSUSERS, "u acme", "g acme", "don't take"),
    Mistake("gives no name that may be", SYSUSERS, "u acme-reviews", "u acme:reviews", "not a valid user"),
    Mistake("forgets a quotation mark", SYSUSERS, 'reviews" /var', "reviews /var", "Syntax error"),
    Mistake("lives in no absolute folder", SYSUSERS, "/var/lib", "var/lib", "not a valid home"),
    Mistake("gives a number in words", SYSUSERS, " - ", " any ", "Failed to parse UID"),
]

SEEN_BY_SHELLCHECK = [
    Mistake("splits a path", INSTALL, 'chmod 755 "$release"', "chmod 755 $release", "SC2086"),
    Mistake("loses a quote", INSTALL, '"$etc/environment.new" "$etc', '"$etc/environment.new $etc', "SC2224"),
    Mistake("misspells a variable", INSTALL, "opt=$root/opt", "opt=$rot/opt", "SC2154"),
    Mistake("forgets the end", INSTALL, "\ndone\nfail", "\nfail", "SC1"),
    Mistake("compares with spaces", INSTALL, "[[ -z $uv ]]", "[[-z $uv ]]", "SC1035"),
    Mistake("takes an array for a word", INSTALL, '"${used[@]}"\nfor', '"$used"\nfor', "SC2128"),
    Mistake("hands words on as one", COMMAND, '"$@"', "$@", "SC2068"),
    Mistake("speaks another shell", COMMAND, "#!/bin/sh", "", "SC2148"),
    Mistake("loses a line's end", COMMAND, "--wait \\\n", "--wait\n", "SC2"),
    Mistake("reads what is not set", COMMAND, '"$@"', '"$arguments"', "SC2154"),
    Mistake("runs a string", COMMAND, "exec systemd-run", "exec 'systemd-run", "SC1"),
]

SEEN_BY_THE_PROJECT = [
    Mistake("starts no command", WEB, "acme-reviews serve", "acme-reviews server", "starts_a_command"),
    Mistake("listens elsewhere", WEB, "--port=8000", "--port=8080", "one_port"),
    Mistake("allows another port", WEB, "tcp:8000", "tcp:8080", "one_port"),
    Mistake("is somebody else", WEB, "User=acme-reviews", "User=www-data", "same_unprivileged_user"),
    Mistake("is root", BACKUP, "User=acme-reviews\n", "", "same_unprivileged_user"),
    Mistake("reads other settings", WORKER, "/environment", "/settings", "has_the_settings"),
    Mistake("shows its data", WEB, "StateDirectoryMode=0700", "StateDirectoryMode=0755", "has_the_settings"),
    Mistake("stops too early", WEB, "TimeoutStopSec=70", "TimeoutStopSec=10", "take_its_time"),
    Mistake("gives up", WORKER, "StartLimitIntervalSec=0", "StartLimitIntervalSec=60", "comes_back"),
    Mistake("may write", WORKER, "ProtectSystem=strict", "ProtectSystem=full", "confined_like"),
    Mistake("may gain rights", WEB, "NoNewPrivileges=yes\n", "", "confined_like"),
    Mistake("copies another file", BACKUP, "acme-reviews.db /var", "service.db /var", "copied_each_night"),
    Mistake("keeps one copy", BACKUP, "backups 14", "backups 1", "copied_each_night"),
    Mistake("makes a database", SCRIPT, "?mode=rw", "?mode=rwc", "not_made_and_copied"),
    Mistake("keeps the oldest", SCRIPT, "[:-kept]", "[kept:]", "newest_copies"),
    Mistake(
        "leaves what was interrupted", SCRIPT, "interrupted.unlink()", "interrupted.touch()", "newest_copies"
    ),
    Mistake("keeps no copy", SCRIPT, "unfinished.rename(finished)", "unfinished.unlink()", "copy_is_made"),
    Mistake(
        "copies the file as it lies",
        SCRIPT,
        'source.execute("VACUUM INTO ?", (str(unfinished),))',
        "unfinished.write_bytes(database.read_bytes())",
        "copy_is_made",
    ),
    Mistake("misses a night", TIMER, "Persistent=yes", "Persistent=no", "copied_each_night"),
    Mistake("shows the secrets", CADDY, "/caddy.environment", "/environment", "no_secret"),
    Mistake("keeps Caddy's own", CADDY, "ExecStart=\n", "", "no_secret"),
    Mistake("asks another port", INSTALL, "127.0.0.1:8000/ready", "127.0.0.1:8080/ready", "one_port"),
    Mistake(
        "stores elsewhere", INSTALL, "sqlite:////var/lib/$name/", "sqlite:////srv/$name/", "has_the_settings"
    ),
    Mistake("gives Caddy the keys", INSTALL, "'/^PUBLIC_URL=/p'", "'/^SIGNING_KEYS=/p'", "no_secret"),
    Mistake("acts as root", COMMAND, "--uid=acme-reviews", "--uid=root", "same_unprivileged_user"),
    Mistake(
        "forgets the settings",
        COMMAND,
        "/etc/acme-reviews/environment",
        "/etc/environment",
        "has_the_settings",
    ),
    Mistake("has no example", ".env.example", "# DATABASE_URL=", "# DATABASE=", "made_once"),
    Mistake("proxies elsewhere", "deploy/Caddyfile", "127.0.0.1:8000 {", "127.0.0.1:8080 {", "one_port"),
]


@pytest.fixture(scope="module")
def systemd() -> None:
    require_systemd()


@pytest.fixture
def project(hosted: Hosted) -> Project:
    """A project for systemd that can do everything. Shared: never write into it."""
    return hosted("systemd")


@pytest.mark.usefixtures("systemd")
@pytest.mark.parametrize("name", JUDGED["systemd"])
def test_systemd_accepts(name: str, hosted: Hosted, tmp_path: Path) -> None:
    project = hosted("systemd", **JUDGED["systemd"][name])
    units = [file for file in project.files() if file.endswith((".service", ".timer"))]
    assert len(units) == (4 if "push" in project.answers["capabilities"] else 3)
    said = verified(project, tmp_path)
    assert said == dict.fromkeys([*units, CADDY, SYSUSERS], "")


@pytest.mark.usefixtures("systemd")
@pytest.mark.parametrize("mistake", named(SEEN_BY_SYSTEMD))
def test_systemd_refuses(mistake: Mistake, project: Project, tmp_path: Path) -> None:
    read_with = put_units(project, tmp_path, **{mistake.file: broken(project, mistake)})
    assert mistake.complaint in systemd_verdict(tmp_path, read_with[mistake.file])


@pytest.mark.usefixtures("systemd")
@pytest.mark.parametrize("mistake", named(SEEN_BY_SYSUSERS))
def test_sysusers_refuses(mistake: Mistake, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "sysusers.conf"
    file.write_text(broken(project, mistake), "utf-8")
    assert mistake.complaint in sysusers(file)


@pytest.mark.usefixtures("systemd")
@pytest.mark.parametrize("file", EXPOSURE, ids=lambda file: Path(file).name)
def test_a_unit_exposes_little_of_the_machine(file: str, project: Project, tmp_path: Path) -> None:
    def measured(**changed: str) -> Ended:
        root = tmp_path / str(len(changed))
        put_units(project, root, **changed)
        limit = f"--threshold={EXPOSURE[file]}"
        command = ["systemd-analyze", "security", "--no-pager", "--offline=yes", limit, f"--root={root}"]
        return run(*command, Path(file).name, folder=root, check=False)

    assert measured().code == 0, measured().output
    for precaution in ("PrivateDevices=yes\n", "SystemCallFilter=@system-service\n", "ProtectHome=yes\n"):
        weaker = broken(project, Mistake("leaves it out", file, precaution, "", ""))
        assert measured(**{file: weaker}).code != 0, precaution
        shutil.rmtree(tmp_path / "1")


@pytest.mark.parametrize("name", JUDGED["systemd"])
def test_shellcheck_accepts(name: str, hosted: Hosted) -> None:
    project = hosted("systemd", **JUDGED["systemd"][name])
    for script in (INSTALL, COMMAND):
        assert not shellcheck(file=project.path / script)
        assert os.access(project.path / script, os.X_OK)


@pytest.mark.parametrize("mistake", named(SEEN_BY_SHELLCHECK))
def test_shellcheck_refuses(mistake: Mistake, project: Project, tmp_path: Path) -> None:
    file = tmp_path / Path(mistake.file).name
    file.write_text(broken(project, mistake), "utf-8")
    assert mistake.complaint in shellcheck(file=file)


@pytest.mark.gate
def test_the_project_refuses_a_broken_deployment(project: Project, tmp_path: Path) -> None:
    assert not overlooked(project.copied(tmp_path / "project"), SEEN_BY_THE_PROJECT)


def install(project: Project, root: Path) -> None:
    run(
        project.path / INSTALL,
        folder=project.path,
        env=environment(ROOT=str(root), UV=uv_binary()),
        timeout=300,
    )


def installed(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file but those of the releases, with its mode."""
    return {
        str(path.relative_to(root)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes())
        for path in root.rglob("*")
        if path.is_file() and "releases" not in path.relative_to(root).parts and path.name != ".pwd.lock"
    }


def enabled(root: Path) -> set[str]:
    return {path.name for path in root.glob("etc/systemd/system/*.wants/*")}


@pytest.mark.gate
@pytest.mark.usefixtures("systemd")
def test_it_can_be_installed_twice(hosted: Hosted, tmp_path: Path) -> None:
    project = hosted("systemd").copied(tmp_path / "project")
    project.lock()
    root, opt = tmp_path / "root", tmp_path / "root/opt/acme-reviews"
    settings = root / "etc/acme-reviews/environment"
    sources = project.contents()

    install(project, root)

    first = installed(root)
    assert project.contents() == sources
    assert first["etc/acme-reviews/environment"][0] == 0o600
    assert {mode for name, (mode, _) in first.items() if name.startswith("etc/systemd")} == {0o644}
    assert re.search(r"(?m)^acme-reviews:x:\d+:\d+:", (root / "etc/passwd").read_text("utf-8"))
    assert enabled(root) == {"acme-reviews.service", "acme-reviews-backup.timer"}
    for unit in (WEB, WORKER):
        assert not systemd_verdict(root, Path(unit).name)
    version = run(opt / "current/bin/acme-reviews", "--version", folder=tmp_path)
    assert version.output == "acme-reviews, version 0.1.0\n"

    # What people do in between.
    text = settings.read_text("utf-8").replace("PUBLIC_URL=\n", "PUBLIC_URL=https://reviews.example.com\n")
    settings.write_text(text, "utf-8")
    database = root / "var/lib/acme-reviews/acme-reviews.db"
    database.parent.mkdir(parents=True)
    database.write_bytes(b"what the service has stored")
    drop_in = root / "etc/systemd/system/acme-reviews.service.d/override.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nMemoryMax=1G\n", "utf-8")
    old = (opt / "current").resolve()

    install(project, root)

    second = installed(root)
    assert settings.read_text("utf-8") == text
    assert second.pop("etc/acme-reviews/caddy.environment")[1] == b"PUBLIC_URL=https://reviews.example.com\n"
    assert second.keys() - first.keys() == {str(path.relative_to(root)) for path in (database, drop_in)}
    changed = {name for name in second.keys() & first.keys() if second[name] != first[name]}
    assert changed == {"etc/acme-reviews/environment"}
    assert old.is_dir()
    assert (opt / "current").resolve() != old
    check_settings(opt / "current/bin/python", settings, tmp_path)

    settings.write_text(re.sub(r"(?m)^DATABASE_URL=.*", "DATABASE_URL=postgresql://host/name", text), "utf-8")
    earliest = opt / "releases/20200101T000000.000000000-old"
    earliest.mkdir()
    install(project, root)
    assert enabled(root) == {"acme-reviews.service", "acme-reviews-worker.service"}
    assert len(list((opt / "releases").iterdir())) == 3
    assert not earliest.exists()
    assert (opt / "current/bin/acme-reviews").is_file()

    remove(project, root)
    assert {name for name in installed(root) if "acme" in name} == set()


def check_settings(python: Path, settings: Path, folder: Path) -> None:
    """The service takes what the installation made, and takes it for a production on this machine's own file."""
    code = (
        "from acme_reviews.settings import Settings; s = Settings.load();"
        "print(s.environment.value, s.public_url, s.database_url, s.host, s.port)"
    )
    lines = [line for line in settings.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    env = dict(line.split("=", 1) for line in lines)
    assert run(python, "-c", code, folder=folder, env=env).output.split() == [
        "production",
        "https://reviews.example.com",
        "sqlite:////var/lib/acme-reviews/acme-reviews.db",
        "127.0.0.1",
        "8000",
    ]


def remove(project: Project, root: Path) -> None:
    """Carry out what docs/systemd.md says about removing, as far as it deletes files below the root."""
    blocks = under(shell_blocks(manual(project)), "Remove everything")
    deleting = [line for line in blocks[-1].splitlines() if "systemctl disable" in line or " rm -r " in line]
    assert len(deleting) == 7
    for line in deleting:
        below = re.sub(r" /", f" {root}/", line.removeprefix("sudo "))
        run("bash", "-c", below.replace("disable --now", f"--root={root} disable"), folder=root)


def test_an_installation_that_fails_changes_nothing(project: Project, tmp_path: Path) -> None:
    """Without a lock nothing can be built, so nothing may be switched to."""
    root = tmp_path / "root"
    env = environment(ROOT=str(root), UV=uv_binary())
    ended = run(project.path / INSTALL, folder=project.path, env=env, check=False)
    assert ended.code
    assert "uv.lock" in ended.output
    assert [path for path in root.rglob("*") if path.is_file() or path.is_symlink()] == []
    assert list((root / "opt/acme-reviews/releases").iterdir()) == []


def test_only_root_installs_on_the_running_system(project: Project) -> None:
    with tempfile.TemporaryDirectory() as name:
        # pytest's own folder is closed to others.
        script = Path(shutil.copytree(project.path / "deploy", Path(name) / "deploy") / "systemd/install.sh")
        Path(name).chmod(0o755)
        somebody = [] if os.geteuid() else ["setpriv", "--reuid=65534", "--clear-groups"]
        ended = run(*somebody, script, folder=Path(name), env=environment(), check=False)
    assert ended.code == 1
    assert ended.output == "Only root can install a service. Run: sudo deploy/systemd/install.sh\n"
