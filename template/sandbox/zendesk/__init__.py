"""Zendesk Support's side of the Channel framework, for tests and for people.

`Zendesk` is the thing itself, to be awaited; `Sandbox` is the same for code without `await`.
"""

from .admin import HandshakeError
from .calls import Answer
from .channelback import ReplyRefusedError, Upload
from .clock import FakeClock, RealClock
from .exchanges import Exchange, ExchangeLog
from .faults import Fault, Faults
from .installer import PackageRefusedError
from .manifest import ManifestRefusedError
from .model import Account, Comment, Manifest, Ticket, User
from .pulls import FeatureOffError, Pull
from .sandbox import AgentTicket, Sandbox
from .settings import Settings
from .verdicts import Remark
from .zendesk import InProcess, Zendesk

__all__ = [
    "Account",
    "AgentTicket",
    "Answer",
    "Comment",
    "Exchange",
    "ExchangeLog",
    "FakeClock",
    "Fault",
    "Faults",
    "FeatureOffError",
    "HandshakeError",
    "InProcess",
    "Manifest",
    "ManifestRefusedError",
    "PackageRefusedError",
    "Pull",
    "RealClock",
    "Remark",
    "ReplyRefusedError",
    "Sandbox",
    "Settings",
    "Ticket",
    "Upload",
    "User",
    "Zendesk",
]
