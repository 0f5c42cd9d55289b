"""Names, ports, paths, commands and images agree between every file of a target, the service and the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from agreement import DOCUMENTS, Service, contradictions, sources
from deployment_files import OF_THE_DEPLOYMENT, DeploymentFiles, Files
from hosting import WITHOUT_PUSH
from questionnaire import RefusedError, present_questionnaire

if TYPE_CHECKING:
    from projects import Template

HOSTINGS = present_questionnaire().choices("hosting")


@pytest.fixture(scope="module")
def documents(template: Template) -> DeploymentFiles:
    return DeploymentFiles(template, (*OF_THE_DEPLOYMENT, *DOCUMENTS, "src/"))


def facts(hosting: str, capabilities: list[str], **others: str) -> dict[str, Any]:
    answers = {"origin_name": "Acme Reviews", "hosting": hosting, "capabilities": capabilities, **others}
    return present_questionnaire().answer(answers).values


def most(hosting: str) -> dict[str, Any]:
    """Return the facts of a project that does all that its target allows."""
    every = present_questionnaire().choices("capabilities")
    try:
        return facts(hosting, every)
    except RefusedError:
        return facts(hosting, WITHOUT_PUSH)


@pytest.mark.parametrize("hosting", HOSTINGS)
def test_a_target_agrees_with_the_service(hosting: str, documents: DeploymentFiles) -> None:
    addressed = facts(hosting, ["pull"], public_url="https://reviews.example.com")
    for values in (most(hosting), addressed, facts(hosting, [])):
        assert contradictions(documents.rendered(values), values) == [], values["capabilities"]


def test_the_service_is_read_as_it_is(documents: DeploymentFiles) -> None:
    """A reader that finds nothing would find no contradiction, either."""
    service = Service.of(sources(documents.rendered(most("compose"))))
    assert {"PUBLIC_URL", "DATABASE_URL", "WORKER_INSIDE", "ORIGIN_URL", "PORT"} <= service.settings
    assert {"/ready", "/metrics", "/channel/manifest", "/channel/pull"} <= service.routes
    assert any(route.startswith("/webhook/") for route in service.routes)
    assert service.commands["serve"] == {"--host", "--port", "--help"}
    assert {"worker", "migrate", "keys", "keys reseal", "outbox retry", "sandbox"} <= set(service.commands)
    assert service.port == 8000


class Slip(NamedTuple):
    hosting: str
    file: str
    before: str
    after: str
    complaint: str


SLIPS = [
    Slip("compose", "deploy/compose.yaml", "${PUBLIC_URL:?", "${PUBLIC_ADDRESS:?", "PUBLIC_ADDRESS is no setting"),
    Slip("compose", "deploy/Caddyfile", "{$PUBLIC_URL}", "{$SITE_ADDRESS}", "SITE_ADDRESS is no setting"),
    Slip("fly", "fly.toml", "PUBLIC_URL =", "PUBLIC_HOST =", "PUBLIC_HOST is no setting"),
    Slip("cloud_run", "deploy/cloud_run/service.yaml", "name: PUSH_CLIENT_ID", "name: PUSH_CLIENT", "PUSH_CLIENT is no"),
    Slip("aws_lambda", "deploy/aws_lambda/template.yaml", "PULL_DEADLINE:", "PULL_TIMEOUT:", "PULL_TIMEOUT is no"),
    Slip("none", "docs/hosting.md", "`SEALING_KEYS`, `OP", "`SEAL_KEYS`, `OP", "docs/hosting.md: SEAL_KEYS is no setting"),
    Slip("systemd", ".env.example", "# LOG_LEVEL=", "# LOG=", "LOG_LEVEL is not shown"),
    Slip("compose", ".env.example", "# POSTGRES_PASSWORD=", "# POSTGRES_SECRET=", "no file reads POSTGRES_SECRET"),
    Slip("kubernetes", ".env.example", "# WORKER_INSIDE=", "# WORKERS_INSIDE=", "WORKERS_INSIDE is no setting"),
    Slip("compose", "deploy/Caddyfile", "web:8000 {", "web:8080 {", "deploy/Caddyfile: nobody listens at port 8080"),
    Slip("systemd", "deploy/systemd/acme-reviews.service", "--port=8000", "--port=8001", "port 8001"),
    Slip("kubernetes", "docs/kubernetes.md", "port 8000", "port 9090", "docs/kubernetes.md: nobody listens at port 9090"),
    Slip("fly", "deploy/Dockerfile", "EXPOSE 8000", "EXPOSE 8008", "port 8008"),
    Slip("cloud_run", "deploy/cloud_run/service.yaml", "/channel/healthcheck", "/channel/health", "/channel/health is no path"),
    Slip("fly", "fly.toml", '"/ready"', '"/readyz"', "/readyz is no path"),
    Slip("kubernetes", "deploy/kubernetes/base/ingress.yaml", "path: /webhook", "path: /webhooks", "/webhooks is no path"),
    Slip("systemd", "deploy/systemd/install.sh", ":8000/ready", ":8000/up", "/up is no path"),
    Slip("none", "docs/hosting.md", "`/metrics` counts", "`/metrics/all` counts", "/metrics/all is no path"),
    Slip("compose", "deploy/compose.yaml", '"worker"]', '"work"]', "no command work"),
    Slip("kubernetes", "deploy/kubernetes/overlays/migration/job.yaml", ", migrate]", ", migration]", "no command migration"),
    Slip("fly", "docs/fly.md", "acme-reviews keys reseal\"", "acme-reviews keys seal\"", "no command keys seal"),
    Slip("systemd", "deploy/systemd/acme-reviews.service", "serve --host", "serve --address", "no option --address"),
    Slip("kubernetes", "docs/kubernetes.md", "docker push registry.example.com/acme-reviews:1", "docker push registry.example.com/acme-reviews:2", "several names"),
    Slip("kubernetes", "deploy/kubernetes/settings/kustomization.yaml", "/acme-reviews", "/reviews", "several names"),
    Slip("cloud_run", "deploy/cloud_run/job.yaml", "image: ${IMAGE}", "image: acme-reviews", "several names"),
    Slip("compose", "docs/compose.md", "`deploy/Dockerfile`", "`deploy/Containerfile`", "there is no deploy/Containerfile"),
    Slip("fly", "docs/fly.md", "--config deploy/fly.postgresql.toml", "--config deploy/fly.pg.toml", "no deploy/fly.pg.toml"),
    Slip("systemd", "deploy/systemd/install.sh", "deploy/systemd/command.sh", "deploy/systemd/run.sh", "no deploy/systemd/run.sh"),
    Slip("kubernetes", "deploy/kubernetes/overlays/postgresql/kustomization.yaml", "disruption.yaml", "budget.yaml", "disruption.yaml is named nowhere"),
]  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS, ids=[f"{slip.hosting}-{number}" for number, slip in enumerate(SLIPS)])
def test_a_contradiction_is_seen(slip: Slip, documents: DeploymentFiles) -> None:
    values = most(slip.hosting)
    files: Files = documents.rendered(values)
    assert slip.before in files[slip.file]
    wrong = {**files, slip.file: files[slip.file].replace(slip.before, slip.after)}
    assert any(slip.complaint in said for said in contradictions(wrong, values)), contradictions(
        wrong, values
    )


@pytest.mark.parametrize("hosting", [hosting for hosting in HOSTINGS if hosting != "none"])
def test_a_file_that_nobody_names_is_seen(hosting: str, documents: DeploymentFiles) -> None:
    values = most(hosting)
    files = documents.rendered(values)
    assert contradictions({**files, "deploy/more.yaml": ""}, values) == ["deploy/more.yaml is named nowhere"]
