"""The files for Cloud Run, judged by the rules that Google documents and by the project's own tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hosting import JUDGED
from mistakes import Mistake, Validator, broken, named, overlooked
from validators import cloud_build, cloud_run

if TYPE_CHECKING:
    from conftest import Hosted

SERVICE = "deploy/cloud_run/service.yaml"
JOB = "deploy/cloud_run/job.yaml"
BUILD = "deploy/cloud_run/cloudbuild.yaml"
VALIDATORS: dict[str, Validator] = {SERVICE: cloud_run, JOB: cloud_run, BUILD: cloud_build}

SEEN_BY_THE_PLATFORM = [
    Mistake("is another kind", SERVICE, "kind: Service", "kind: Deployment", "'Deployment'"),
    Mistake("speaks another version", SERVICE, "serving.knative.dev/v1", "v1", "'serving.knative.dev/v1'"),
    Mistake("misspells a key", SERVICE, "containerConcurrency", "concurrency", "'concurrency'"),
    Mistake("misspells an annotation", SERVICE, "dev/minScale", "dev/min-scale", "min-scale"),
    Mistake("annotates with a number", SERVICE, 'minScale: "1"', "minScale: 1", "'string'"),
    Mistake("annotates with a flag", SERVICE, 'throttling: "false"', "throttling: false", "False"),
    Mistake("lets in whom it likes", SERVICE, "ingress: all", "ingress: public", "'public'"),
    Mistake("invents a protocol", SERVICE, "name: http1", "name: http", "'http'"),
    Mistake("loses the port", SERVICE, "containerPort: 8000", "containerPort: 0", "less than the minimum"),
    Mistake("takes Cloud Run's variable", SERVICE, "name: PUBLIC_URL", "name: PORT", "'PORT'"),
    Mistake("names no version", SERVICE, "                  key: latest\n", "", "'key' is a required property"),
    Mistake("names a version in words", SERVICE, "key: latest", "key: newest", "'newest'"),
    Mistake("has no instance", SERVICE, "${PROJECT}:${REGION}:acme-reviews", "acme-reviews", "cloudsql"),
    Mistake("waits for ever", SERVICE, "timeoutSeconds: 60", "timeoutSeconds: 7200", "maximum of 3600"),
    Mistake("starts for ever", SERVICE, "periodSeconds: 5", "periodSeconds: 500", "maximum of 240"),
    Mistake("probes in two ways", SERVICE, "            httpGet:", "            tcpSocket: {port: 8000}\n            httpGet:", "valid under each of"),
    Mistake("counts half", SERVICE, "percent: 100", "percent: 50", "50 percent in all"),
    Mistake("counts in words", SERVICE, "percent: 100", 'percent: "100"', "'integer'"),
    Mistake("sends all nowhere", SERVICE, "latestRevision: true\n      percent", "percent", "traffic[0]"),
    Mistake("asks for no memory", SERVICE, "memory: 512Mi", "memory: 512", "'string'"),
    Mistake("names an account", SERVICE, "serviceAccountName: ", "serviceAccount: ", "'serviceAccount'"),
    Mistake("needs what nobody exports", SERVICE, "${IMAGE}", "${DOCKER_IMAGE}", "DOCKER_IMAGE"),
    Mistake("takes any image", SERVICE, "${IMAGE}", "acme-reviews", "image"),
    Mistake("names a key twice", SERVICE, "containerConcurrency: 80\n", "containerConcurrency: 80\n      containerConcurrency: 8\n", "stands twice"),
    Mistake("is a service", JOB, "run.googleapis.com/v1", "serving.knative.dev/v1", "apiVersion"),
    Mistake("forgets a level", JOB, "      taskCount: 1\n      template:", "      taskCount: 1\n      task:", "'task'"),
    Mistake("tries for ever", JOB, "maxRetries: 0", "maxRetries: 100", "maximum of 10"),
    Mistake("starts a text", JOB, "args: [keys, reseal]", "args: keys reseal", "'array'"),
    Mistake("listens", JOB, "              resources:", "              ports: [{containerPort: 8000}]\n              resources:", "should not be valid"),
    Mistake("misspells the steps", BUILD, "steps:", "stages:", "'steps' is a required property"),
    Mistake("builds with nothing", BUILD, "name: gcr.io/cloud-builders/docker", "image: docker", "'image'"),
    Mistake("starts a text", BUILD, '[build, --file=deploy/Dockerfile, "--tag=$_IMAGE", .]', "5", "args"),
]  # fmt: skip

SEEN_BY_THE_PROJECT = [
    Mistake("listens elsewhere", SERVICE, "containerPort: 8000", "containerPort: 8080", "reached_at_the_port"),
    Mistake("speaks HTTP/2", SERVICE, "name: http1", "name: h2c", "reached_at_the_port"),
    Mistake("probes another port", SERVICE, "port: 8000", "port: 8080", "probes_ask"),
    Mistake("probes another path", SERVICE, "/channel/healthcheck", "/healthz", "probes_ask"),
    Mistake("probes too long", SERVICE, "timeoutSeconds: 4", "timeoutSeconds: 5", "probes_ask"),
    Mistake("starts too slowly", SERVICE, "failureThreshold: 24", "failureThreshold: 240", "probes_ask"),
    Mistake("cuts an answer short", SERVICE, "timeoutSeconds: 60", "timeoutSeconds: 30", "take_its_time"),
    Mistake("scales to zero", SERVICE, 'minScale: "1"', 'minScale: "0"', "as_many_instances"),
    Mistake("works without a processor", SERVICE, 'throttling: "false"', 'throttling: "true"', "as_many_instances"),
    Mistake("overruns the database", SERVICE, 'maxScale: "2"', 'maxScale: "20"', "find_room"),
    Mistake("hides from Zendesk", SERVICE, "ingress: all", "ingress: internal", "zendesk_reaches"),
    Mistake("asks Zendesk for an identity", SERVICE, 'disabled: "true"', 'disabled: "false"', "zendesk_reaches"),
    Mistake("reads no secret", SERVICE, "name: acme-reviews-SIGNING_KEYS", "name: signing-keys", "every_secret"),
    Mistake("lays a secret open", SERVICE, "- name: OPERATOR_PASSWORD\n              valueFrom:\n                secretKeyRef:\n                  name: acme-reviews-OPERATOR_PASSWORD\n                  key: latest", "- name: OPERATOR_PASSWORD\n              value: secret", "every_secret"),
    Mistake("invents a setting", SERVICE, "name: PUBLIC_URL", "name: PUBLIC_HOST", "fit_for_production"),
    Mistake("finds another database", SERVICE, ":acme-reviews\n", ":acme\n", "at_the_socket"),
    Mistake("stays with the old", SERVICE, "latestRevision: true", "revisionName: acme-reviews-00001", "newest_revision"),
    Mistake("needs another name", SERVICE, "${PROJECT}.iam", "${PROJECT}-x.iam", "one_account"),
    Mistake("runs as somebody else", JOB, "serviceAccountName: acme-reviews-service", "serviceAccountName: default-account", "one_account"),
    Mistake("runs no command", JOB, "args: [keys, reseal]", "args: [keys, seal]", "command_of_the_projects"),
    Mistake("runs again", JOB, "maxRetries: 0", "maxRetries: 3", "command_of_the_projects"),
    Mistake("keeps no image", BUILD, "images: [$_IMAGE]", "images: []", "is_built"),
    Mistake("builds from nothing", BUILD, "--file=deploy/Dockerfile", "--file=Dockerfile", "is_built"),
]  # fmt: skip


@pytest.mark.parametrize("name", JUDGED["cloud_run"])
@pytest.mark.parametrize("file", VALIDATORS)
def test_the_platform_accepts(name: str, file: str, hosted: Hosted) -> None:
    assert not VALIDATORS[file](hosted("cloud_run", **JUDGED["cloud_run"][name]).path / file)


@pytest.mark.parametrize("mistake", named(SEEN_BY_THE_PLATFORM))
def test_the_platform_refuses(mistake: Mistake, hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / Path(mistake.file).name
    file.write_text(broken(hosted("cloud_run"), mistake), "utf-8")
    assert mistake.complaint in VALIDATORS[mistake.file](file)


@pytest.mark.gate
def test_the_project_refuses(hosted: Hosted, tmp_path: Path) -> None:
    assert not overlooked(hosted("cloud_run").copied(tmp_path / "project"), SEEN_BY_THE_PROJECT)


def test_an_instance_stays_only_where_something_is_pushed(hosted: Hosted) -> None:
    texts = {
        name: hosted("cloud_run", **answers).text(SERVICE) for name, answers in JUDGED["cloud_run"].items()
    }
    scaling = {
        name: re.findall(r'(?:minScale|cpu-throttling): "(\w+)"', text) for name, text in texts.items()
    }
    assert scaling == {"complete": ["1", "false"], "long": ["1", "false"], "short": ["0", "true"]}
