"""The dead man's switches: one an account, by real time, firing once (protocol section 8.6)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from simple_trader.sandbox.memory import Fact, Memory, Switch
from simple_trader.sandbox.sources import to_moment, to_us


class Switches:
    """When each armed account's orders are all cancelled; armed again by each call.

    With a memory they outlast the sandbox: one that ran out meanwhile fires on return.
    """

    def __init__(self, wall: Callable[[], datetime], memory: Memory) -> None:
        self._wall = wall
        self._memory = memory
        self._armed: dict[str, datetime] = {}

    def arm(self, account: str, timeout_s: int) -> None:
        """Arm an account's switch for real seconds from now; 0 disarms it."""
        if timeout_s:
            at = self._wall() + timedelta(seconds=timeout_s)
            self._armed[account] = at
            self._memory.append(Switch(account, to_us(at)))
        elif self._armed.pop(account, None) is not None:
            self._memory.append(Switch(account, None))

    def recall(self, fact: Switch) -> None:
        """Take up what an earlier life of this sandbox had armed."""
        if fact.at is None:
            self._armed.pop(fact.account, None)
        else:
            self._armed[fact.account] = to_moment(fact.at)

    def facts(self) -> list[Fact]:
        """Give what must be remembered."""
        return [Switch(account, to_us(at)) for account, at in self._armed.items()]

    def fired(self) -> list[str]:
        """Give the accounts whose time is over; they are disarmed by that."""
        now = self._wall()
        over = [account for account, at in self._armed.items() if at <= now]
        for account in over:
            self.arm(account, 0)
        return over

    def at(self, account: str) -> datetime | None:
        """Give the real moment at which an account's switch fires."""
        return self._armed.get(account)
