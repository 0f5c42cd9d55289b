"""Settings and faults as people write them on the command line."""

import pytest
from sandbox.zendesk import Fault, Faults, Settings
from sandbox.zendesk.options import OptionError, add_fault, add_push_result, change


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("pull_interval=2.5", "pull_interval", 2.5),
        ("channelback_tries=1", "channelback_tries", 1),
        ("hold_events=yes", "hold_events", True),
        ("solved_tickets_reopen=off", "solved_tickets_reopen", False),
        ("subdomain = corner-cafe", "subdomain", "corner-cafe"),
        ("file_methods=GET, POST", "file_methods", ("GET", "POST")),
        ("channelback_statuses_to_repeat=500,503", "channelback_statuses_to_repeat", (500, 503)),
        ("token_lifetime=60", "token_lifetime", 60.0),
        ("inactive_account_status=none", "inactive_account_status", None),
    ],
)
def test_a_setting_is_read_as_its_type(text: str, name: str, value: object) -> None:
    settings = Settings()
    change(settings, text)
    assert getattr(settings, name) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pull_intervall=2", "pull_interval"),
        ("pull_interval", "="),
        ("pull_interval=soon", "pull_interval=soon"),
        ("pull_interval=-1", "pull_interval=-1"),
        ("pull_interval=inf", "pull_interval=inf"),
        ("channelback_tries=1.5", "channelback_tries=1.5"),
        ("hold_events=perhaps", "hold_events=perhaps"),
        ("channelback_statuses_to_repeat=500,all", "500,all"),
    ],
)
def test_a_wrong_setting_is_named(text: str, told: str) -> None:
    settings = Settings()
    with pytest.raises(OptionError) as refused:
        change(settings, text)
    assert told in str(refused.value)
    assert settings == Settings()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("500", Fault(status=500)),
        ("429,retry-after:5,times:3", Fault(status=429, headers={"retry-after": "5"}, times=3)),
        ("delay:1.5, always", Fault(delay=1.5, times=None)),
        ("drop-before", Fault(dropped="before")),
        ("delay:2,drop-after", Fault(delay=2, dropped="after")),
    ],
)
def test_a_fault_is_read(text: str, fault: Fault) -> None:
    faults = Faults()
    add_fault(faults, f"channelback={text}")
    assert faults.waiting == {"channelback": [fault]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("chanelback=500", "channelback"),
        ("channelback", "="),
        ("channelback=", "nothing goes wrong"),
        ("channelback=times:3", "nothing goes wrong"),
        ("channelback=99", "status"),
        ("channelback=drop", "'drop'"),
        ("channelback=500,times:0", "times"),
        ("channelback=delay:long", "delay: "),
    ],
)
def test_a_wrong_fault_is_explained(text: str, told: str) -> None:
    faults = Faults()
    with pytest.raises(OptionError) as refused:
        add_fault(faults, text)
    assert told in str(refused.value)
    assert faults.waiting == {}


def test_results_of_a_push_wait_in_their_order() -> None:
    faults = Faults()
    add_push_result(faults, "https://origin.test/?id=1=processing_error")
    add_push_result(faults, "https://origin.test/?id=1=success")
    assert faults.push_results == {"https://origin.test/?id=1": ["processing_error", "success"]}
    with pytest.raises(OptionError, match="processing_error"):
        add_push_result(faults, "1=procesing_error")
