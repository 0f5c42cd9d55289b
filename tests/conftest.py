from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hosting import COMPLETE, EVERYTHING
from projects import PRESENT, Project, Template, copy_working_tree, release
from questionnaire import Questionnaire, present_questionnaire
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xdist.remote import Producer


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-combinations",
        action="store_true",
        help="render and check every selection of capabilities with every hosting target",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long list of renders out unless it is asked for, and begin with what takes longest.

    What runs the project's own code here keeps the project's rule that no warning passes.
    """
    for item in items:
        if item.nodeid.startswith(("tests/sandbox/", "tests/schemas/")):
            item.add_marker(pytest.mark.filterwarnings("error"))
    if not config.getoption("--all-combinations"):
        long = [item for item in items if item.get_closest_marker("all_combinations")]
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)
    items.sort(key=lambda item: item.get_closest_marker("gate") is None)


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out test by test, except the modules whose tests share what there is once.

    That is a measurement of one process, and the ports that the README's commands name.
    """

    TOGETHER = ("tests/projects/test_combinations.py", "tests/projects/test_readme.py")

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module in self.TOGETHER else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler:
    return Scheduler(config, log)


@pytest.fixture(scope="session", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's own Copier settings, Copier cache and git configuration out of every test."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "settings.yml").write_text("{}\n", "utf-8")
    (folder / "gitconfig").write_text(
        "[user]\n\tname = Test\n\temail = test@example.com\n"
        "[init]\n\tdefaultBranch = main\n"
        "[commit]\n\tgpgSign = false\n",
        "utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPIER_SETTINGS_PATH", str(folder / "settings.yml"))
        patch.setenv("COPIER_CACHE_DIR", str(folder / "cache"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        yield


@pytest.fixture(scope="session")
def questionnaire() -> Questionnaire:
    return present_questionnaire()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, questionnaire: Questionnaire) -> Template:
    """The working tree, committed and tagged in a repository of its own."""
    repository = tmp_path_factory.mktemp("template")
    copy_working_tree(repository)
    release(repository, PRESENT)
    return Template(repository, questionnaire)


class Generate(Protocol):
    def __call__(self, **answers: Any) -> Project: ...


@pytest.fixture
def generate(template: Template, tmp_path: Path) -> Generate:
    """Generate projects from strictly checked answers; the origin name has one if none is given."""
    made: list[Project] = []

    def make(**answers: Any) -> Project:
        destination = tmp_path / f"project-{len(made)}"
        made.append(template.copy(destination, {"origin_name": "Acme Reviews", **answers}))
        return made[-1]

    return make


class Hosted(Protocol):
    def __call__(self, hosting: str, **answers: Any) -> Project: ...


@pytest.fixture(scope="session")
def hosted(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Hosted:
    """Projects for a target, with all that it can do unless answered otherwise. Shared: never write into them."""
    made: dict[str, Project] = {}

    def make(hosting: str, **answers: Any) -> Project:
        whole = {**COMPLETE[hosting], **answers}
        key = repr(sorted(whole.items()))
        if key not in made:
            made[key] = template.copy(tmp_path_factory.mktemp(hosting) / "project", whole)
        return made[key]

    return make


@pytest.fixture(scope="session")
def default_project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with nothing but its origin name given. Shared: never write into it."""
    return template.copy(tmp_path_factory.mktemp("default") / "project", {"origin_name": "Acme Reviews"})


@pytest.fixture(scope="session")
def everything(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with every capability. Shared: never write into it."""
    answers = {"origin_name": "Acme Reviews", "capabilities": EVERYTHING}
    return template.copy(tmp_path_factory.mktemp("everything") / "project", answers)


@pytest.fixture(scope="session")
def with_webhooks(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with every capability, whose origin sends webhooks instead of being listened to, and whose accounts have a
    key and are added in one step. Shared: never write into it."""
    capabilities = [name for name in EVERYTHING if name not in ("listen", "oauth", "choices")]
    answers = {"origin_name": "Acme Reviews", "capabilities": capabilities}
    return template.copy(tmp_path_factory.mktemp("webhooks") / "project", answers)
