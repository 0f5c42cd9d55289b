"""What all parts of one Zendesk share."""

from dataclasses import dataclass

from .changes import Changes
from .clock import Clock
from .exchanges import ExchangeLog
from .faults import Faults
from .model import State
from .settings import Settings


@dataclass(frozen=True)
class Context:
    state: State
    settings: Settings
    clock: Clock
    faults: Faults
    log: ExchangeLog
    changes: Changes


@dataclass
class Part:
    """A part of Zendesk, with what it shares at hand."""

    context: Context

    def __post_init__(self) -> None:
        self.state = self.context.state
        self.settings = self.context.settings
        self.clock = self.context.clock
        self.faults = self.context.faults
        self.log = self.context.log
