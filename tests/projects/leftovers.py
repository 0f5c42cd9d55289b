"""What a project without a capability, or without a hosting or CI target, must not speak about.

Words are searched, without regard to case, in the names and contents of what a project's people read and
change. Where a word has a second, honest meaning, the pattern says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects import Project

SEARCHED = ("src/", "tests/", "README.md", "docs/", ".env.example", "pyproject.toml")

# For each answer: the words that belong to it alone.
WORDS: dict[str, list[str]] = {
    "pull": [
        r"\bpull(s|ed|ing)?\b",
        r"pull_",
        r"_pull",
        r"cursor\.py",
        r"\bcursor import",
        r"pull log",
    ],
    # Zendesk's page posts instance_push_id to every integration, whether it pushes or not.
    "push": [
        r"\bpush(es|ed|ing)?\b",
        r"\bpush_",
        r"_push\b",
        r"\b(credentials|signatures|leases|request_ids|backoff)(\.py| import)",
        r"dead letter",
        r"outbox",
        r"procrastinate",
        r"webhook",
        r"\bworkers?\b",
    ],
    "listen": [r"def listen\b", r"\blisten(/|\.(md|py))", r"listeners(_|\b)", r"long-lived", r"beside_jobs"],
    "posts": [r"quarantine", r"file_links"],
    "channelback": [
        r"(?<!allow_)channel_?back(?!_files)",
        r"\bclaims(\.py| import|_table)",
        r"\bechoes(\.py| import)",
        r"request_unique_identifier",
    ],
    "deferred_replies": [r"deferred[_ ]repl", r"deferral", r"answered at once", r"reply_ids"],
    "reply_files": [r"attachments"],
    "clickthrough": [r"click_?through"],
    "event_callback": [r"event[_ ]?callback", r"imported_posts", r"destroy_", r"\btype_id\b"],
    "proxy": [r"channel/proxy", r"client_data", r"(?<!ticket_)sidebar", r"\bproxy(/|\.md)"],
    # An OAuth client in Zendesk, and its tokens, are another matter.
    "oauth": [
        r"\boauth_",
        r"/oauth\b",
        r"oauthlib",
        r"bearer_auth",
        r"\.sign_in\b",
        r"\bAccessToken\b",
        r"\bOAuth\(",
        r"nobody_signed_in",
        r"oauth\.md",
    ],
    "choices": [
        r"\bOffered\(",
        r"second_?step",
        r"\bchoosing\b",
        r"/choices\b",
        r"no longer offered",
        r"\boffers\.py",
        r"\.offers\b",
    ],
    "zis": [r"\bzis\b", r"\bzis_", r"solved[_ ]?ticket", r"ticket_solved", r"ticket[_ ]tags"],
    "about": [r"about_url", r"/about\b", r"\babout\.(py|html)", r"about page"],
    "dashboard": [r"dashboard"],
    "image": [r"docker", r"\bcontainers?\b"],
    "caddy": [r"caddy"],
    "compose": [r"\bcompose\.ya?ml", r"docker compose"],
    "systemd": [r"systemd", r"systemctl"],
    "kubernetes": [r"kubernetes", r"kubectl", r"kustom"],
    "fly": [r"\bfly(ctl|\.io|\.toml)?\b"],
    "cloud_run": [r"cloud[ _]run", r"gcloud"],
    "aws_lambda": [r"\baws\b", r"aws_lambda", r"\bsam\b"],
    "github": [r"github"],
    "gitlab": [r"gitlab"],
}

HOSTING = {"compose", "systemd", "kubernetes", "fly", "cloud_run", "aws_lambda"}

# What stays, with the reason: (path, pattern).
LEGITIMATE: list[tuple[str, str]] = [
    # How a capability is added later, and where else the service can be hosted.
    ("docs/updates.md", r""),
    # How an image gets into a registry.
    ("docs/kubernetes.md", r"^docker push "),
    # What the sandbox can do, whatever the service does.
    ("docs/sandbox.md", r"\bZIS\)|/api/services/zis|`user_sidebar`"),
    ("docs/architecture.md", r"^sandbox/ "),
    # Words of git, of systemd and of the linter of imports.
    ("docs/compose.md", r"^git pull$"),
    ("docs/systemd.md", r"^git pull$|journalctl"),
    ("pyproject.toml", r"^containers = "),
    # That nothing is said about it has to be tested by name.
    ("tests/admin_ui/test_endpoint.py", r"push-id-1"),
    ("tests/web/test_manifest.py", r"push_client_id|nothing here pushes"),
    # What the sandbox asks of whoever hands it a post.
    ("tests/with_zendesk/test_proxy.py", r"imports\.take\("),
    # Where Zendesk itself makes the tokens of integrations.
    (".py", r"/api/v2/oauth/"),
    # A path of Zendesk's push API.
    (".py", r"channelback/report_error"),
    # What import-linter calls a package.
    ("pyproject.toml", r"^containers = \["),
    # Where Zendesk's own schemas lie.
    ("docs/sandbox.md", r"^    source: https://github\.com/zendesk/any_channel_json_schemas$"),
]


def unchosen(project: Project) -> set[str]:
    """Return the keys of WORDS that these answers leave out."""
    answers = project.answers
    facts = (
        "pull",
        "push",
        "listen",
        "posts",
        "channelback",
        "deferred_replies",
        "reply_files",
        "clickthrough",
        "event_callback",
        "proxy",
        "oauth",
        "choices",
        "zis",
        "about",
        "dashboard",
        "image",
        "caddy",
    )
    out = {fact for fact in facts if not answers[fact]}
    out |= HOSTING - {answers["hosting"]}
    return out | {"github", "gitlab"} - {answers["continuous_integration"]}


def leftovers(project: Project) -> Iterator[str]:
    """Yield `path:line` for each word of something that was not chosen."""
    searched = [(name, text) for name, text in project.texts() if name.startswith(SEARCHED)]
    for key in sorted(unchosen(project)):
        words = re.compile("|".join(WORDS[key]), re.IGNORECASE)
        for name, text in searched:
            if words.search(name.removeprefix(project.source)):
                yield f"{name}: a file of {key}, which was not chosen"
            for number, line in enumerate(text.splitlines(), 1):
                if words.search(line) and not _legitimate(name, line):
                    yield f"{name}:{number}: speaks of {key}, which was not chosen: {line.strip()}"


def _legitimate(name: str, line: str) -> bool:
    return any(name.endswith(path) and re.search(pattern, line) for path, pattern in LEGITIMATE)
