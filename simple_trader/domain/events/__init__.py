"""Events: everything the brain can learn; each a frozen, tagged struct: the journal codec.

`Stamped` is the envelope: the engine loop numbers the event and says when (market time) it came.
"""

from datetime import datetime

import msgspec

from simple_trader.domain.events.account import (
    BalancesSeen,
    FeesSeen,
    LedgerSeen,
    OperatorExplained,
    Reconciled,
)
from simple_trader.domain.events.answers import (
    AdviceArrived,
    AdviceFailed,
    CallTried,
    ModelTrained,
    OperatorTrain,
    PredictionsArrived,
    PredictionsFailed,
    TrainingSkipped,
)
from simple_trader.domain.events.life import (
    AuthTrouble,
    ClockSkewSeen,
    LoopGapSeen,
    LoopLagSeen,
    OperatorHalt,
    OperatorResume,
    SettingsChanged,
    SettingsRejected,
    Started,
    Stopping,
    StoreHealth,
    TimerFired,
)
from simple_trader.domain.events.market import (
    BookLost,
    BookSeen,
    CandleSeen,
    FeedDown,
    FeedUp,
    InstrumentSeen,
    QuoteSeen,
    VenueAnnounced,
    VenueStatusSeen,
    VenueWarned,
)
from simple_trader.domain.events.orders import (
    CancelRejected,
    ExecutionReport,
    NotSent,
    OrderAcked,
    OrderLooked,
    OrderRejected,
    OrderSent,
    RejectKind,
    SendUnknown,
)

__all__ = [
    "AdviceArrived",
    "AdviceFailed",
    "AuthTrouble",
    "BalancesSeen",
    "BookLost",
    "BookSeen",
    "CallTried",
    "CancelRejected",
    "CandleSeen",
    "ClockSkewSeen",
    "Event",
    "ExecutionReport",
    "FeedDown",
    "FeedUp",
    "FeesSeen",
    "InstrumentSeen",
    "LedgerSeen",
    "LoopGapSeen",
    "LoopLagSeen",
    "ModelTrained",
    "NotSent",
    "OperatorExplained",
    "OperatorHalt",
    "OperatorResume",
    "OperatorTrain",
    "OrderAcked",
    "OrderLooked",
    "OrderRejected",
    "OrderSent",
    "PredictionsArrived",
    "PredictionsFailed",
    "QuoteSeen",
    "Reconciled",
    "RejectKind",
    "SendUnknown",
    "SettingsChanged",
    "SettingsRejected",
    "Stamped",
    "Started",
    "Stopping",
    "StoreHealth",
    "TimerFired",
    "TrainingSkipped",
    "VenueAnnounced",
    "VenueStatusSeen",
    "VenueWarned",
]

Event = (
    Started
    | Stopping
    | SettingsChanged
    | SettingsRejected
    | OperatorHalt
    | OperatorResume
    | StoreHealth
    | ClockSkewSeen
    | LoopLagSeen
    | LoopGapSeen
    | AuthTrouble
    | TimerFired
    | QuoteSeen
    | BookSeen
    | BookLost
    | CandleSeen
    | InstrumentSeen
    | VenueStatusSeen
    | VenueAnnounced
    | VenueWarned
    | FeedUp
    | FeedDown
    | BalancesSeen
    | LedgerSeen
    | FeesSeen
    | Reconciled
    | OperatorExplained
    | OrderSent
    | NotSent
    | OrderAcked
    | OrderRejected
    | SendUnknown
    | CancelRejected
    | OrderLooked
    | ExecutionReport
    | AdviceArrived
    | AdviceFailed
    | PredictionsArrived
    | PredictionsFailed
    | ModelTrained
    | OperatorTrain
    | TrainingSkipped
)


class Stamped(msgspec.Struct, frozen=True):
    """An event with its number in the journal and the market time at which it was processed."""

    seq: int
    at: datetime
    event: Event
