"""The target kubernetes: rendered by kustomize, judged by Kubernetes' own schemas, and by what these miss."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hosting import JUDGED
from manifests import lint, render
from mistakes import Mistake, broken, named, overlooked
from projects import Project
from validators import kubernetes as complaints

if TYPE_CHECKING:
    from conftest import Hosted
    from manifests import Manifest

FOLDER = "deploy/kubernetes"
SETTINGS = f"{FOLDER}/settings/kustomization.yaml"
NAMESPACE = f"{FOLDER}/settings/namespace.yaml"
DATABASE = f"{FOLDER}/overlays/postgresql/database.yaml"
VALUES = f"{FOLDER}/settings/settings.env"
BASE = f"{FOLDER}/base/kustomization.yaml"
WEB = f"{FOLDER}/base/web.yaml"
INGRESS = f"{FOLDER}/base/ingress.yaml"
POLICY = f"{FOLDER}/base/network_policy.yaml"
SQLITE = f"{FOLDER}/overlays/sqlite"
POSTGRESQL = f"{FOLDER}/overlays/postgresql"
JOB = f"{FOLDER}/overlays/migration/job.yaml"
RESTORE = f"{FOLDER}/overlays/restore/pod.yaml"

OVERLAYS = ["sqlite", "postgresql", "migration", "restore"]

SEEN_BY_KUSTOMIZE = [
    Mistake("gives one host", INGRESS, "hosts: [host-of-public-url]", "hosts: host", "wrong node kind"),
    Mistake("takes an old API", WEB, "apps/v1", "extensions/v1beta1", "no matches for Id"),
    Mistake(
        "indents too little",
        WEB,
        "            periodSeconds: 10",
        "          periodSeconds: 10",
        "not allowed in this context",
    ),
    Mistake("misspells a file", BASE, "- ingress.yaml", "- ingres.yaml", "no such file"),
    Mistake("invents a field", BASE, "resources:", "resource:", 'unknown field "resource"'),
    Mistake("names no kind", BASE, "kind: Kustomization", "kind: Kustomisation", "kind should be"),
    Mistake(
        "lists a file twice", BASE, "- ingress.yaml", "- web.yaml\n  - ingress.yaml", "already registered id"
    ),
    Mistake("loses an indent", BASE, "  - web.yaml", "- web.yaml", "web.yaml - ingress.yaml"),
    Mistake(
        "is no component",
        SETTINGS,
        "kind: Component",
        "kind: Kustomization",
        "apiVersion for Kustomization should be",
    ),
    Mistake("misspells the values", SETTINGS, "settings.env", "setting.env", "no such file"),
    Mistake(
        "takes the host from nothing", SETTINGS, "data.PUBLIC_URL", "data.PUBLIC_ADDRESS", "PUBLIC_ADDRESS"
    ),
    Mistake("takes the host from too far", SETTINGS, "index: 2", "index: 3", "index"),
    Mistake("fills in what is not there", SETTINGS, "spec.tls.0", "spec.tls.1", "spec.tls.1"),
    Mistake("forgets the address", VALUES, "PUBLIC_URL=", "# PUBLIC_URL=", "PUBLIC_URL"),
    Mistake("gives only a host", VALUES, "=https://", "=", "index"),
    Mistake(
        "names a setting with a space", VALUES, "PUBLIC_URL=", "PUBLIC URL=", "`data.PUBLIC_URL` is missing"
    ),
    Mistake(
        "patches another", f"{SQLITE}/web.yaml", "  name: web\nspec", "  name: service\nspec", "no matches"
    ),
    Mistake(
        "patches another kind", f"{SQLITE}/web.yaml", "kind: Deployment", "kind: StatefulSet", "no matches"
    ),
    Mistake(
        "forgets the settings", f"{SQLITE}/kustomization.yaml", "../../settings", "../settings", "settings"
    ),
    Mistake(
        "patches with nothing", f"{SQLITE}/kustomization.yaml", "path: web.yaml", "path: app.yaml", "app.yaml"
    ),
    Mistake("has no base", f"{POSTGRESQL}/kustomization.yaml", "../../base", "../base", "base"),
    Mistake("invents a field", f"{POSTGRESQL}/kustomization.yaml", "patches:", "patch:", "unknown field"),
    Mistake(
        "names no kind",
        f"{POSTGRESQL}/kustomization.yaml",
        "kind: Kustomi",
        "kind: Customi",
        "kind should be",
    ),
    Mistake(
        "misspells a file", f"{SQLITE}/kustomization.yaml", "volume.yaml", "volumes.yaml", "no such file"
    ),
    Mistake("invents a field", f"{SQLITE}/kustomization.yaml", "components:", "component:", "unknown field"),
    *(
        Mistake(what, f"{FOLDER}/overlays/{tool}/kustomization.yaml", before, after, complaint)
        for tool in ("migration", "restore")
        for what, before, after, complaint in (
            ("misspells a file", "resources:\n  - ", "resources:\n  - more-", "no such file"),
            ("has no settings", "../../settings", "../settings", "settings"),
            ("invents a field", "resources:", "resource:", 'unknown field "resource"'),
            ("names no kind", "kind: Kustomization", "kind: Kustomisation", "kind should be"),
        )
    ),
]

SEEN_BY_SCHEMAS = [
    Mistake("nests the pod", RESTORE, "  containers:", "  container:", "'containers' is a required"),
    Mistake(
        "leads to services",
        INGRESS,
        "service:\n                name",
        "services:\n                name",
        "'services' was unexpected",
    ),
    Mistake("writes a port in words", WEB, "containerPort: 8000", 'containerPort: "8000"', "containerPort"),
    Mistake("misspells a probe", WEB, "readinessProbe:", "readyProbe:", "'readyProbe' was unexpected"),
    Mistake("writes yes", WEB, "runAsNonRoot: true", 'runAsNonRoot: "yes"', "runAsNonRoot"),
    Mistake(
        "limits the processor in cores", WEB, "      periodSeconds: 2\n", "      periodSeconds: 2s\n", "2s"
    ),
    Mistake(
        "forgets the type of path", INGRESS, "            pathType: Prefix\n", "", "'pathType' is a required"
    ),
    Mistake(
        "takes the old API", INGRESS, "networking.k8s.io/v1", "extensions/v1beta1", "Couldn't find schema"
    ),
    Mistake(
        "misspells the class", INGRESS, "ingressClassName", "ingressClass", "'ingressClass' was unexpected"
    ),
    Mistake(
        "forgets the pods",
        POLICY,
        "  podSelector:\n    matchLabels:\n      app.kubernetes.io/n",
        "  labels:\n    a:\n      n",
        "unexpected",
    ),
    Mistake("gives one type", POLICY, "[Ingress]", "Ingress", "array"),
    Mistake("gives one type", DATABASE, "[Egress]", "Egress", "array"),
    Mistake("opens a port", DATABASE, "- ports:", "- port:", "'port' was unexpected"),
    Mistake("lists its pods", DATABASE, "  podSelector:", "  pods:", "'pods' was unexpected"),
    Mistake("gives a number", NAMESPACE, "warn-version: latest", "warn-version: 1", "labels"),
    Mistake("misspells the kind", NAMESPACE, "kind: Namespace", "kind: NameSpace", "is not one of"),
    Mistake("allows a source", POLICY, "- from:", "- sources:", "'sources' was unexpected"),
    Mistake(
        "misspells the size", f"{SQLITE}/volume.yaml", "requests:", "request:", "'request' was unexpected"
    ),
    Mistake("gives one mode", f"{SQLITE}/volume.yaml", "[ReadWriteOncePod]", "ReadWriteOncePod", "array"),
    Mistake("counts in words", f"{SQLITE}/web.yaml", "replicas: 1", "replicas: one", "'one'"),
    Mistake(
        "claims without a name", f"{SQLITE}/web.yaml", "claimName:", "name:", "'claimName' is a required"
    ),
    Mistake("sleeps for nothing", f"{POSTGRESQL}/web.yaml", "seconds: 10", "seconds: 10s", "10s"),
    Mistake("misspells the surge", f"{POSTGRESQL}/web.yaml", "maxSurge:", "maxSurges:", "maxSurges"),
    Mistake(
        "refers to a secret's value", f"{POSTGRESQL}/web.yaml", "secretKeyRef:", "secretRef:", "secretRef"
    ),
    Mistake("spreads by no key", f"{POSTGRESQL}/web.yaml", "maxSkew: 1", "maxSkew: one", "'one'"),
    Mistake(
        "takes the beta",
        f"{POSTGRESQL}/autoscaling.yaml",
        "autoscaling/v2",
        "autoscaling/v2beta2",
        "find schema",
    ),
    Mistake("takes the old target", f"{POSTGRESQL}/autoscaling.yaml", "metrics:", "targetCPU:", "targetCPU"),
    Mistake(
        "knows no most",
        f"{POSTGRESQL}/autoscaling.yaml",
        "  maxReplicas: 4\n",
        "",
        "'maxReplicas' is a required",
    ),
    Mistake(
        "takes the old API",
        f"{POSTGRESQL}/disruption.yaml",
        "policy/v1",
        "policy/v1beta1",
        "Couldn't find schema",
    ),
    Mistake(
        "misspells the budget",
        f"{POSTGRESQL}/disruption.yaml",
        "maxUnavailable",
        "maxDisrupted",
        "maxDisrupted",
    ),
    Mistake("gives one argument", f"{POSTGRESQL}/worker.yaml", "[acme-reviews, worker]", "worker", "array"),
    Mistake("tries in words", JOB, "backoffLimit: 2", "backoffLimit: twice", "twice"),
    Mistake("has no template", JOB, "  template:", "  pod:", "'pod' was unexpected"),
    Mistake("takes the cron API", JOB, "batch/v1", "batch/v2", "Couldn't find schema"),
    Mistake("gives one argument", RESTORE, "[sleep, infinity]", "sleep infinity", "array"),
]

SEEN_BY_THE_LINTER = [
    Mistake("probes twice", WEB, "          livenessProbe:", "          startupProbe:", "duplication of key"),
    Mistake(
        "names two classes", INGRESS, "  tls:", "  ingressClassName: nginx\n  tls:", "duplication of key"
    ),
    Mistake("says truth otherwise", POLICY, "protocol: UDP", "protocol: yes", "truthy value"),
    Mistake(
        "has two specs", f"{SQLITE}/volume.yaml", "  resources:", "spec:\n  resources:", "duplication of key"
    ),
    Mistake(
        "has two images", SETTINGS, "    newTag:", "    newName: again\n    newTag:", "duplication of key"
    ),
]

SEEN_BY_OURSELVES = [
    Mistake(
        "reaches for nobody",
        DATABASE,
        "app.kubernetes.io/name: acme-reviews",
        "app.kubernetes.io/component: database",
        "selects no pod",
    ),
    Mistake(
        "has no selector",
        f"{POSTGRESQL}/worker.yaml",
        "  selector:\n    matchLabels:\n      app.kubernetes.io/component: worker\n  strategy",
        "  strategy",
        "its selector selects other pods",
    ),
    Mistake(
        "mounts at a point",
        f"{SQLITE}/web.yaml",
        "mountPath:",
        "mountPoint:",
        "volume data is mounted nowhere",
    ),
    Mistake(
        "does not select its pods",
        WEB,
        "matchLabels:\n      app.kubernetes.io/component: web",
        "matchLabels:\n      app.kubernetes.io/component: app",
        "its selector does not select its own pods",
    ),
    Mistake(
        "serves no pod",
        WEB,
        "selector:\n    app.kubernetes.io/component: web",
        "selector:\n    app.kubernetes.io/component: app",
        "selects no pod",
    ),
    Mistake("serves no port", WEB, "targetPort: http", "targetPort: https", "no pod has a port https"),
    Mistake(
        "probes no port",
        WEB,
        "              path: /ready\n              port: http",
        "              path: /ready\n              port: web",
        "readinessProbe asks a port web",
    ),
    Mistake("names its port at length", WEB, "http\n", "service-over-http\n", "is no name of a port"),
    Mistake("asks for odd memory", WEB, "memory: 512Mi", "memory: 512MB", "is no quantity"),
    Mistake("asks for memory in megabytes", WEB, "memory: 192Mi", "memory: 192 Mi", "is no quantity"),
    Mistake(
        "labels with a space",
        WEB,
        "component: web\nspec:\n  revision",
        "component: web server\nspec:\n  revision",
        "is no label",
    ),
    Mistake(
        "refers to other settings",
        WEB,
        "name: settings",
        "name: environment",
        "there is no ConfigMap environment",
    ),
    Mistake("refers to other keys", WEB, "name: keys", "name: secrets", "there is no Secret secrets"),
    Mistake(
        "mounts no volume",
        WEB,
        "- name: tmp\n              mountPath",
        "- name: temporary\n              mountPath",
        "mounts temporary",
    ),
    Mistake(
        "is not probed",
        WEB,
        "livenessProbe:\n            httpGet:\n              path: /channel/healthcheck\n              port: http\n            periodSeconds: 10\n            timeoutSeconds: 5\n            failureThreshold: 3\n          ",
        "",
        "has no livenessProbe",
    ),
    Mistake("runs as root", WEB, "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"),
    Mistake(
        "may write",
        WEB,
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "may write everywhere",
    ),
    Mistake("keeps capabilities", WEB, "drop: [ALL]", "add: [NET_BIND_SERVICE]", "keeps capabilities"),
    Mistake("gets a token", WEB, "      automountServiceAccountToken: false\n", "", "gets a token"),
    Mistake("takes any image", SETTINGS, 'newTag: "1"', "newTag: latest", "names no registry, or no version"),
    Mistake(
        "replaces no image", SETTINGS, "- name: service", "- name: web", "names no registry, or no version"
    ),
    Mistake("shouts its name", SETTINGS, "namespace: acme-reviews", "namespace: Acme-Reviews", "is no name"),
    Mistake(
        "generates under another name",
        SETTINGS,
        "  - name: settings\n    envs",
        "  - name: values\n    envs",
        "settings",
    ),
    Mistake("admits any pod", NAMESPACE, "enforce: restricted", "enforce: baseline", "admits pods"),
    Mistake(
        "admits what it misspells",
        NAMESPACE,
        "kubernetes.io/enforce:",
        "kubernetes.io/enforced:",
        "admits pods",
    ),
    Mistake("gives an address with a port", VALUES, ".example.com", ".example.com:8443", "is no host"),
    Mistake(
        "matches paths oddly", INGRESS, "pathType: Prefix", "pathType: prefix", "pathType cannot be 'prefix'"
    ),
    Mistake(
        "leads nowhere",
        INGRESS,
        "name: web\n                port",
        "name: app\n                port",
        "which is no Service",
    ),
    Mistake("leads to a number", INGRESS, "name: http\n", "number: 8000\n", "which is no Service"),
    Mistake("secures nothing", SETTINGS, ", spec.tls.0.hosts.0", "", "has no certificate"),
    Mistake(
        "guards nobody",
        POLICY,
        "component: web\n  policyTypes",
        "component: app\n  policyTypes",
        "selects no pod",
    ),
    Mistake("opens another port", POLICY, "port: http", "port: https", "no pod has a port https"),
    Mistake(
        "misspells a type",
        POLICY,
        "[Ingress, Egress]",
        "[Ingress, Outgress]",
        "policyTypes cannot be 'Outgress'",
    ),
    Mistake("writes a protocol small", POLICY, "protocol: TCP", "protocol: tcp", "protocol cannot be 'tcp'"),
    Mistake(
        "invents a mode", f"{SQLITE}/volume.yaml", "[ReadWriteOncePod]", "[ReadWriteOnePod]", "accessModes"
    ),
    Mistake("has an odd size", f"{SQLITE}/volume.yaml", "storage: 5Gi", "storage: 5GB", "is no quantity"),
    Mistake(
        "is another volume",
        f"{SQLITE}/volume.yaml",
        "name: data",
        "name: database",
        "no PersistentVolumeClaim data",
    ),
    Mistake(
        "claims another volume",
        f"{SQLITE}/web.yaml",
        "claimName: data",
        "claimName: database",
        "no PersistentVolumeClaim",
    ),
    Mistake(
        "invents a strategy",
        f"{SQLITE}/web.yaml",
        "type: Recreate",
        "type: Replace",
        "strategy cannot be 'Replace'",
    ),
    Mistake(
        "spreads other pods",
        f"{POSTGRESQL}/web.yaml",
        "component: web",
        "component: app",
        "selects other pods",
    ),
    Mistake("hopes for a node", f"{POSTGRESQL}/web.yaml", "ScheduleAnyway", "Schedule", "whenUnsatisfiable"),
    Mistake(
        "asks another secret",
        f"{POSTGRESQL}/web.yaml",
        "name: database",
        "name: postgresql",
        "no Secret postgresql",
    ),
    Mistake(
        "scales another",
        f"{POSTGRESQL}/autoscaling.yaml",
        "    name: web",
        "    name: app",
        "there is no Deployment app",
    ),
    Mistake(
        "scales another kind",
        f"{POSTGRESQL}/autoscaling.yaml",
        "kind: Deployment",
        "kind: StatefulSet",
        "no StatefulSet",
    ),
    Mistake(
        "protects nobody",
        f"{POSTGRESQL}/disruption.yaml",
        "    matchLabels:\n      app.kubernetes.io/component: web",
        "    matchLabels:\n      app.kubernetes.io/component: app",
        "selects no pod",
    ),
    Mistake(
        "evicts seldom",
        f"{POSTGRESQL}/disruption.yaml",
        "AlwaysAllow",
        "Always",
        "unhealthyPodEvictionPolicy",
    ),
    Mistake("misspells a type", DATABASE, "[Egress]", "[egress]", "policyTypes"),
    Mistake("needs nothing", f"{POSTGRESQL}/worker.yaml", "requests:", "limited:", "worker"),
    Mistake(
        "may get more rights",
        f"{POSTGRESQL}/worker.yaml",
        "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: true",
        "may get more rights",
    ),
    Mistake(
        "protects nobody",
        f"{POSTGRESQL}/worker.yaml",
        "AlwaysAllow\n  selector:\n    matchLabels:\n      app.kubernetes.io/component: worker",
        "AlwaysAllow\n  selector:\n    matchLabels:\n      app.kubernetes.io/component: work",
        "selects no pod",
    ),
    Mistake("uses every system call", JOB, "RuntimeDefault", "Unconfined", "may use every system call"),
    Mistake("restarts for ever", JOB, "restartPolicy: Never", "restartPolicy: No", "restartPolicy"),
    Mistake(
        "asks another secret", JOB, "name: database", "name: postgresql", "there is no Secret postgresql"
    ),
    Mistake(
        "holds another volume", RESTORE, "claimName: data", "claimName: database", "no PersistentVolumeClaim"
    ),
    Mistake(
        "mounts no volume", RESTORE, "        - name: data\n", "        - name: database\n", "mounts database"
    ),
    Mistake("changes owners oddly", RESTORE, "OnRootMismatch", "OnMismatch", "fsGroupChangePolicy"),
]

SEEN_BY_THE_PROJECT = [
    Mistake("listens elsewhere", WEB, "containerPort: 8000", "containerPort: 8080", "one_port"),
    Mistake("is ready too early", WEB, "path: /ready", "path: /channel/healthcheck", "probes_ask"),
    Mistake(
        "restarts for the database",
        WEB,
        "/channel/healthcheck\n              port: http\n            periodSeconds: 10",
        "/ready\n              port: http\n            periodSeconds: 10",
        "probes_ask",
    ),
    Mistake("probes nothing", WEB, "path: /channel/healthcheck", "path: /healthz", "probes_ask"),
    Mistake("stops too early", WEB, "GracePeriodSeconds: 100", "GracePeriodSeconds: 30", "what_is_under_way"),
    Mistake("is another user", WEB, "runAsUser: 10001", "runAsUser: 1000", "same_user"),
    Mistake("runs another image", WEB, "image: service", "image: web", "named_in_one_place"),
    Mistake(
        "hides behind localhost", VALUES, "PUBLIC_URL", "HOST=127.0.0.1\nPUBLIC_URL", "fit_for_production"
    ),
    Mistake(
        "is for development",
        VALUES,
        "PUBLIC_URL",
        "ENVIRONMENT=development\nPUBLIC_URL",
        "fit_for_production",
    ),
    Mistake("is not secured", VALUES, "PUBLIC_URL=https", "PUBLIC_URL=http", "fit_for_production"),
    Mistake("gives a port", VALUES, ".example.com", ".example.com:8443", "without_a_port"),
    Mistake("tells a secret", VALUES, "PUSH_CLIENT_ID=", "OPERATOR_PASSWORD=", "no_file_holds_a_secret"),
    Mistake("invents a setting", VALUES, "PUSH_CLIENT_ID=", "PUSH_CLIENT=", "every_setting"),
    Mistake("shows its metrics", INGRESS, "path: /webhook", "path: /", "public_is_let_in"),
    Mistake("shuts the origin out", INGRESS, "path: /webhook", "path: /webhooks", "public_is_let_in"),
    Mistake("shuts Zendesk out", INGRESS, "path: /channel", "path: /channels", "public_is_let_in"),
    Mistake(
        "lets everybody in",
        POLICY,
        "    - from:\n        - namespaceSelector:\n            matchLabels:\n              kubernetes.io/metadata.name: traefik\n      ports:",
        "    - ports:",
        "network_lets",
    ),
    Mistake("finds no names", POLICY, "port: 53", "port: 5353", "network_lets"),
    Mistake("finds no Zendesk", POLICY, "port: 443", "port: 8443", "network_lets"),
    Mistake("forgets what goes out", POLICY, "[Ingress, Egress]", "[Ingress]", "network_lets"),
    Mistake("finds no database", DATABASE, "port: 5432", "port: 5433", "network_lets"),
    Mistake("is another name", NAMESPACE, "name: acme-reviews", "name: reviews", "one_namespace"),
    Mistake("takes no part", BASE, "  - network_policy.yaml\n", "", "takes_part"),
    Mistake("takes no part", f"{POSTGRESQL}/kustomization.yaml", "  - disruption.yaml\n", "", "takes_part"),
    Mistake("takes no part", f"{POSTGRESQL}/kustomization.yaml", "  - worker.yaml\n", "", "takes_part"),
    Mistake(
        "takes no part", f"{SQLITE}/kustomization.yaml", "patches:\n  - path: web.yaml\n", "", "takes_part"
    ),
    Mistake(
        "takes no settings",
        f"{FOLDER}/overlays/migration/kustomization.yaml",
        "../../settings",
        "../../base",
        "takes_part",
    ),
    Mistake(
        "takes no settings",
        f"{FOLDER}/overlays/restore/kustomization.yaml",
        "../../settings",
        "../../base",
        "takes_part",
    ),
    Mistake("is served by two", f"{SQLITE}/web.yaml", "replicas: 1", "replicas: 2", "one_pod"),
    Mistake(
        "begins before it ends", f"{SQLITE}/web.yaml", "type: Recreate", "type: RollingUpdate", "one_pod"
    ),
    Mistake("forgets the data", f"{SQLITE}/web.yaml", "mountPath: /data", "mountPath: /var/data", "one_pod"),
    Mistake("may not write", f"{SQLITE}/web.yaml", "fsGroup: 10001", "fsGroup: 1000", "one_pod"),
    Mistake("writes elsewhere", f"{SQLITE}/web.yaml", "sqlite:////data/", "sqlite:///", "one_pod"),
    Mistake("is mounted twice", f"{SQLITE}/volume.yaml", "ReadWriteOncePod", "ReadWriteMany", "one_pod"),
    Mistake(
        "loses a pod",
        f"{POSTGRESQL}/web.yaml",
        "maxUnavailable: 0",
        "maxUnavailable: 1",
        "no_request_is_lost",
    ),
    Mistake("ends at once", f"{POSTGRESQL}/web.yaml", "seconds: 10", "seconds: 0", "no_request_is_lost"),
    Mistake(
        "works inside", f"{POSTGRESQL}/web.yaml", 'value: "false"', 'value: "true"', "workers_do_the_work"
    ),
    Mistake(
        "invents a variable", f"{POSTGRESQL}/web.yaml", "WORKER_INSIDE", "WORKERS_INSIDE", "every_setting"
    ),
    Mistake(
        "asks no database",
        f"{POSTGRESQL}/web.yaml",
        "- name: DATABASE_URL",
        "- name: DATABASE",
        "every_setting",
    ),
    Mistake(
        "is alone", f"{POSTGRESQL}/autoscaling.yaml", "minReplicas: 2", "minReplicas: 1", "no_request_is_lost"
    ),
    Mistake(
        "is never alone",
        f"{POSTGRESQL}/disruption.yaml",
        "maxUnavailable: 1",
        "maxUnavailable: 0",
        "no_request_is_lost",
    ),
    Mistake(
        "works not", f"{POSTGRESQL}/worker.yaml", "[acme-reviews, worker]", "[acme-reviews, work]", "installs"
    ),
    Mistake(
        "cuts a delivery off", f"{POSTGRESQL}/worker.yaml", "Seconds: 40", "Seconds: 20", "what_is_under_way"
    ),
    Mistake("migrates not", JOB, "[acme-reviews, migrate]", "[acme-reviews, migration]", "installs"),
    Mistake("migrates another", JOB, "key: DATABASE_URL", "key: uri", "fit_for_production"),
    Mistake("restores elsewhere", RESTORE, "mountPath: /data", "mountPath: /mnt", "one_pod"),
    Mistake("restores for another", RESTORE, "fsGroup: 10001", "fsGroup: 1000", "one_pod"),
]

SEEN = [*SEEN_BY_KUSTOMIZE, *SEEN_BY_SCHEMAS, *SEEN_BY_THE_LINTER, *SEEN_BY_OURSELVES]


def rendered(project: Project, overlay: str, kind: str) -> list[Manifest]:
    return [one for one in render(project.path / FOLDER / "overlays" / overlay) if one["kind"] == kind]


@pytest.fixture
def kubernetes_project(hosted: Hosted) -> Project:
    """A project for Kubernetes that can do everything. Shared: never write into it."""
    return hosted("kubernetes")


@pytest.fixture
def deployment(kubernetes_project: Project, tmp_path: Path) -> Project:
    """Return the manifests alone, to be changed."""
    shutil.copytree(kubernetes_project.path / FOLDER, tmp_path / FOLDER)
    return Project(tmp_path)


@pytest.mark.parametrize("name", JUDGED["kubernetes"])
def test_every_overlay_is_accepted(name: str, hosted: Hosted) -> None:
    project = hosted("kubernetes", **JUDGED["kubernetes"][name])
    for file in (project.path / FOLDER).rglob("*.yaml"):
        assert not list(lint(file))
    for overlay in OVERLAYS:
        assert not complaints(project, overlay)
    deployments = {one["metadata"]["name"] for one in rendered(project, "postgresql", "Deployment")}
    assert deployments == ({"web", "worker"} if "push" in project.answers["capabilities"] else {"web"})


@pytest.mark.parametrize("mistake", named(SEEN))
def test_a_mistake_is_refused(mistake: Mistake, kubernetes_project: Project, deployment: Project) -> None:
    deployment.write(mistake.file, broken(kubernetes_project, mistake))
    parts = Path(mistake.file).relative_to(FOLDER).parts
    overlay = parts[1] if parts[0] == "overlays" else "postgresql"
    if mistake in SEEN_BY_THE_LINTER:
        said = list(lint(deployment.path / mistake.file))
    else:
        said = complaints(deployment, overlay)
    judges = {"kustomize": SEEN_BY_KUSTOMIZE, "schema": SEEN_BY_SCHEMAS, "yamllint": SEEN_BY_THE_LINTER}
    judge = next((name for name, seen in judges.items() if mistake in seen), "")
    assert any(mistake.complaint in one and one.startswith(judge) for one in said), said


def test_no_file_is_never_broken(kubernetes_project: Project) -> None:
    broken_ones = {mistake.file for mistake in [*SEEN, *SEEN_BY_THE_PROJECT]}
    files = [file for file in kubernetes_project.files() if file.startswith(FOLDER)]
    assert broken_ones == set(files)


@pytest.mark.gate
def test_the_project_refuses_a_broken_deployment(kubernetes_project: Project, tmp_path: Path) -> None:
    assert not overlooked(kubernetes_project.copied(tmp_path / "project"), SEEN_BY_THE_PROJECT)


@pytest.mark.parametrize("overlay", ["sqlite", "postgresql"])
def test_the_ingress_follows_the_public_address(
    overlay: str, kubernetes_project: Project, deployment: Project
) -> None:
    (before,) = rendered(kubernetes_project, overlay, "Ingress")
    deployment.replace(VALUES, "https://acme-reviews.example.com", "https://reviews.example.org")
    (after,) = rendered(deployment, overlay, "Ingress")
    assert [before["spec"]["rules"][0]["host"], *before["spec"]["tls"][0]["hosts"]] == [
        "acme-reviews.example.com"
    ] * 2
    assert [after["spec"]["rules"][0]["host"], *after["spec"]["tls"][0]["hosts"]] == [
        "reviews.example.org"
    ] * 2


def test_a_changed_setting_restarts_the_pods(kubernetes_project: Project, deployment: Project) -> None:
    deployment.append(VALUES, "LOG_LEVEL=debug\n")
    for kind in ("ConfigMap", "Deployment"):
        assert rendered(kubernetes_project, "sqlite", kind) != rendered(deployment, "sqlite", kind)
    assert rendered(kubernetes_project, "sqlite", "Ingress") == rendered(deployment, "sqlite", "Ingress")
