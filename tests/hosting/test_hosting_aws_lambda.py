"""The stack for AWS Lambda, judged as AWS does: translated by SAM, then read by CloudFormation's linter.

The linter alone would let most mistakes in a SAM template pass.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import copier
import pytest
from commands import environment, run, uv_binary
from hosting import JUDGED, lacking
from mistakes import Mistake, broken, named, overlooked
from validators import sam

if TYPE_CHECKING:
    from conftest import Hosted
    from projects import Template

STACK = "deploy/aws_lambda/template.yaml"
MAKEFILE = "deploy/aws_lambda/Makefile"
SAMCONFIG = "deploy/aws_lambda/samconfig.toml"
SEEN_BY_THE_PLATFORM = [
    Mistake("misspells a kind", STACK, "AWS::Serverless::Function", "AWS::Serverless::Functions", "E3006"),
    Mistake("misspells a property", STACK, "MemorySize", "Memory", "property Memory not defined"),
    Mistake("runs on an old Python", STACK, "python3.13", "python3.8", "python3.8"),
    Mistake("invents a processor", STACK, "[arm64]", "[arm]", "arm"),
    Mistake("has no handler", STACK, "      Handler: acme_reviews.aws_lambda.handler\n", "", "Handler"),
    Mistake("takes an hour", STACK, "Timeout: 25", "Timeout: 3600", "E3717"),
    Mistake("gives a unit", STACK, "Timeout: 25", "Timeout: 25s", "'25s' is not of type 'integer'"),
    Mistake("names no function", STACK, "!GetAtt Service.Arn", "!GetAtt Function.Arn", "Function"),
    Mistake("names no API", STACK, "ApiId: !Ref Api\n", "ApiId: !Ref HttpApi\n", "HttpApi"),
    Mistake("names no log", STACK, "!Ref Log\n", "!Ref Logs\n", "Logs"),
    Mistake("names no parameter", STACK, "${SecretVersion}", "${Version}", "Version"),
    Mistake("names no condition", STACK, "Condition: OwnDomain", "Condition: HasDomain", "HasDomain"),
    Mistake("names no part", STACK, "Domain.RegionalDomainName", "Domain.DomainName", "DomainName"),
    Mistake("goes around in a circle", STACK, "!Ref Log\n", "!Ref Permission\n", "E3004"),
    Mistake("keeps logs for a month", STACK, "RetentionInDays: 30", "RetentionInDays: 31", "31"),
    Mistake("has a schedule of no kind", STACK, "Type: ScheduleV2", "Type: ScheduleV3", "ScheduleV3"),
    Mistake("calls at no time", STACK, "ScheduleExpression: ", "Schedule: ", "property Schedule not defined"),
    Mistake("lets nobody in", STACK, "Principal: ", "Principals: ", "Did you mean 'Principal'?"),
    Mistake("deploys in words", STACK, "AutoDeploy: true", "AutoDeploy: always", "'always'"),
    Mistake("hands on in no way", STACK, "      IntegrationType: AWS_PROXY\n", "", "'IntegrationType' is a"),
    Mistake("asks for no type", STACK, "Type: CommaDelimitedList", "Type: List", "'List'"),
    Mistake("limits in words", STACK, "RateLimit: 50", "RateLimit: fifty", "fifty"),
]

SEEN_BY_THE_PROJECT = [
    Mistake("handles nothing", STACK, "aws_lambda.handler", "aws_lambda.handle", "handler_is_the_services"),
    Mistake("is not public", STACK, "StageName: $default", "StageName: prod", "stage_is_public"),
    Mistake("shows its metrics", STACK, "ANY /channel/{proxy+}", "$default", "reached_and_no_more"),
    Mistake("forgets Zendesk", STACK, "ANY /channel/{proxy+}", "GET /channel/{proxy+}", "reached_and_no_more"),
    Mistake("speaks the old format", STACK, '"2.0"', '"1.0"', "leads_to_the_function"),
    Mistake("lets any API in", STACK, "${Api}/*", "*", "only_this_api"),
    Mistake("asks for too much", STACK, "lambda:InvokeFunction", "lambda:*", "only_this_api"),
    Mistake("speaks another protocol", STACK, "ProtocolType: HTTP", "ProtocolType: WEBSOCKET", "leads_to_the_function"),
    Mistake("keeps house all the time", STACK, "rate(1 hour)", "rate(1 minute)", "schedule_asks"),
    Mistake("pulls for too long", STACK, "PULL_DEADLINE: PT18S", "PULL_DEADLINE: PT45S", "anybody_gives_up"),
    Mistake("posts for too long", STACK, "_DEADLINE: PT10S", "_DEADLINE: PT25S", "anybody_gives_up"),
    Mistake("waits longer than the gateway can", STACK, "30000", "60000", "anybody_gives_up"),
    Mistake("outlives the gateway", STACK, "Timeout: 25", "Timeout: 60", "anybody_gives_up"),
    Mistake("sends long files", STACK, "4194304", "20971520", "short_enough"),
    Mistake("invents a setting", STACK, "ORIGIN_URL:", "ORIGIN_ADDRESS:", "look_up"),
    Mistake("runs in development", STACK, "production", "development", "production_complete"),
    Mistake("writes a password down", STACK, "OPERATOR_PASSWORD::${SecretVersion}}}", "OPERATOR_PASSWORD}}", "every_secret"),
    Mistake("reads another secret", STACK, "SecretString:SIGNING_KEYS", "SecretString:SEALING_KEYS", "every_secret"),
    Mistake("keeps logs for ever", STACK, "RetentionInDays: 30", "RetentionInDays: 3650", "not_for_ever"),
    Mistake("runs on another Python", STACK, "python3.13", "python3.14", "build_is_for"),
    Mistake("builds for another processor", MAKEFILE, "aarch64-", "x86_64-", "build_is_for"),
    Mistake("builds for nobody", MAKEFILE, "build-Service:", "build-Function:", "build_is_for"),
    Mistake("leaves out the bytecode", MAKEFILE, " --compile-bytecode", "", "with_its_bytecode"),
    Mistake("looks at the time", MAKEFILE, "UNCHECKED_HASH", "TIMESTAMP", "with_its_bytecode"),
    Mistake("ignores the lock", MAKEFILE, " --locked", "", "with_its_bytecode"),
    Mistake("checks no hash", MAKEFILE, " --require-hashes", "", "with_its_bytecode"),
    Mistake("forgets a parameter", SAMCONFIG, "SecretVersion=", "Secret=", "settings_of_sam"),
    Mistake("invents a parameter", SAMCONFIG, "OriginUrl=", "Origin=", "settings_of_sam"),
    Mistake("forgets the origin", SAMCONFIG, '  "OriginUrl=https://origin.example.com",\n', "", "settings_of_sam"),
    Mistake("is another stack", SAMCONFIG, '"acme-reviews"', '"reviews"', "settings_of_sam"),
    Mistake("may make no role", SAMCONFIG, '"CAPABILITY_IAM"', '"CAPABILITY_AUTO_EXPAND"', "settings_of_sam"),
]  # fmt: skip


@pytest.mark.parametrize("name", JUDGED["aws_lambda"])
def test_the_platform_accepts(name: str, hosted: Hosted) -> None:
    assert not sam(hosted("aws_lambda", **JUDGED["aws_lambda"][name]).path / STACK)


@pytest.mark.parametrize("mistake", named(SEEN_BY_THE_PLATFORM))
def test_the_platform_refuses(mistake: Mistake, hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / Path(mistake.file).name
    file.write_text(broken(hosted("aws_lambda"), mistake), "utf-8")
    assert mistake.complaint in sam(file)


@pytest.mark.gate
def test_the_project_refuses(hosted: Hosted, tmp_path: Path) -> None:
    assert not overlooked(hosted("aws_lambda").copied(tmp_path / "project"), SEEN_BY_THE_PROJECT)


@pytest.mark.gate
@pytest.mark.parametrize("name", ["complete", "nothing"])
def test_the_function_answers_what_zendesk_asks(name: str, hosted: Hosted, tmp_path: Path) -> None:
    """In the runtime client of Lambda itself, with PostgreSQL and the events of an HTTP API."""
    project = hosted("aws_lambda", **JUDGED["aws_lambda"][name]).copied(tmp_path / "project")
    project.sync()
    output = project.uv("run", "--no-sync", "pytest", "-q", "tests/deploy").output
    assert " passed" in output
    assert "skipped" not in output


@pytest.mark.gate
def test_the_build_holds_all_that_the_function_needs(hosted: Hosted, tmp_path: Path) -> None:
    """For this machine in place of Lambda's: the code is imported from the folder that would be uploaded."""
    project = hosted("aws_lambda").copied(tmp_path / "project")
    if not shutil.which("make"):
        lacking("This machine has no make, which carries out the Makefile.")
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    project.lock()
    python = run("python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])", folder=tmp_path).output
    path = f"{Path(uv_binary()).parent}:{environment()['PATH']}"
    run(
        *("make", "--makefile", project.path / MAKEFILE, "build-Service", f"ARTIFACTS_DIR={artifacts}"),
        *(f"PYTHON={python.strip()}", "PLATFORM=x86_64-manylinux_2_28"),
        folder=tmp_path,
        timeout=300,
        env=environment(PATH=path),
    )
    assert not list(artifacts.glob("pytest*"))
    compiled = list((artifacts / "acme_reviews").rglob("*.pyc"))
    assert len(compiled) >= len(list((artifacts / "acme_reviews").rglob("*.py")))
    # The first flag says that the bytecode has a hash, the second that nobody is to check it.
    assert {file.read_bytes()[4] for file in compiled} == {0b01}
    answer = run(
        *("python", "-I", "-c"),
        f"import sys; sys.path.insert(0, {str(artifacts)!r}); import acme_reviews.aws_lambda",
        folder=tmp_path,
        env=environment(ENVIRONMENT="production"),
        check=False,
    )
    assert "SettingsError" in answer.output
    assert "gone with the process" in answer.output


def test_push_is_refused_with_its_reason(template: Template, tmp_path: Path) -> None:
    answers = {"origin_name": "Acme Reviews", "capabilities": ["push"], "hosting": "aws_lambda"}
    with pytest.raises(ValueError, match=r"AWS Lambda runs\s+nothing between requests"):
        copier.run_copy(
            str(template.path), tmp_path / "project", data=answers, defaults=True, quiet=True, unsafe=False
        )


def test_a_project_that_pushes_cannot_move_there(template: Template, tmp_path: Path) -> None:
    project = template.copy(
        tmp_path / "project", {"origin_name": "Acme Reviews", "capabilities": ["pull", "push"]}
    )
    project.commit("As generated")
    before = project.contents()
    data = {"hosting": "aws_lambda"}
    with pytest.raises(ValueError, match=r"Choose another hosting, such as\s+cloud_run or fly"):
        copier.run_update(project.path, data=data, defaults=True, overwrite=True, quiet=True, unsafe=False)
    assert project.contents() == before
