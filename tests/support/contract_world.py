"""The exchange of the contract suite: a real sandbox process, its control line, its accounts."""

import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox_parts import START, child
from websockets.sync.client import ClientConnection, connect

ACCOUNTS = 500
MARKET = (
    "BTC/USD", "ETH/USD", "SOL/USD", "ETH/BTC", "XRP/USD", "PAXG/USD", "ACA/EUR", "MON/USD",
)  # fmt: skip
OPENING = {"USD": Decimal(1_000_000), "BTC": Decimal(20), "ETH": Decimal(300), "SOL": Decimal(5000)}
# Each of them once for each driver: what one test leaves behind is no matter of another.
SPECIAL: dict[str, dict[str, Any]] = {
    "poor": {"balances": {"USD": 100}},
    "tier": {"balances": {"USD": 100000, "BTC": 2}, "volume_30d": 60000},
    "pro": {"balances": {"USD": 100000, "BTC": 2}, "tier": "pro", "volume_30d": 10000000},
    "starter": {"balances": {"USD": 1000000, "BTC": 20}, "tier": "starter", "counters": "on"},
    "many": {"balances": {"USD": 1000000, "BTC": 20}, "tier": "starter"},
    "slow": {"balances": {"USD": 1000000, "BTC": 20}, "tier": "intermediate", "counters": "on"},
}
KINDS = ("client", "raw")
READ_ONLY = [
    "query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "create-ws-token",
]  # fmt: skip
KEYS: dict[str, dict[str, Any]] = {
    "reader": {"permissions": READ_ONLY},
    "blind": {"permissions": ["query-funds"]},
    "rich": {"permissions": "all"},
}


def secret_of(key: str) -> str:
    """The secret of a key of the contract's accounts."""
    return base64.b64encode(f"secret of {key}".encode()).decode()


def write_accounts(path: Path) -> Path:
    """Many accounts alike, and some of each special sort, each with a key of its own name."""
    usual = {"balances": {asset: str(amount) for asset, amount in OPENING.items()}}
    accounts: dict[str, Any] = {f"a{number:03}": usual for number in range(ACCOUNTS)}
    keys = [{"key": name, "secret": secret_of(name), "account": name} for name in accounts]
    for kind in KINDS:
        for name, fields in SPECIAL.items():
            accounts[f"{name}-{kind}"] = fields
            key = f"{name}-{kind}"
            keys.append({"key": key, "secret": secret_of(key), "account": key})
        for name, more in KEYS.items():
            accounts[f"{name}-{kind}"] = usual
            key = f"{name}-{kind}"
            keys.append({"key": key, "secret": secret_of(key), "account": key, **more})
    path.write_text(json.dumps({"accounts": accounts, "keys": keys}))  # JSON is YAML
    return path


class World:
    """A market that stands still until it is told to move, and many accounts."""

    def __init__(self, url: str, line: ClientConnection) -> None:
        self.url = url
        self._line = line
        self._free = iter(range(ACCOUNTS))
        self.at = datetime.fromisoformat(self.ask(op="hello")["at"])

    @property
    def ws(self) -> str:
        return self.url.replace("http", "ws", 1)

    def account(self) -> str:
        """An account that nobody has used."""
        return f"a{next(self._free):03}"

    def ask(self, **request: Any) -> dict[str, Any]:
        """One request of the control line."""
        self._line.send(json.dumps(request))
        answer: dict[str, Any] = json.loads(self._line.recv(timeout=30))
        assert "error" not in answer, answer
        return answer

    def written(self) -> dict[int, int]:
        """Frames written so far to each connection."""
        told: dict[str, int] = self.ask(op="hello")["written"]
        return {int(name): count for name, count in told.items()}

    def advance(self, seconds: float) -> None:
        """Move market time."""
        self.at += timedelta(seconds=seconds)
        self.ask(op="advance", to=self.at.isoformat())

    def do(self, deed: str, **args: Any) -> Any:
        """An operator's deed; Decimals go as text."""
        words = {name: str(v) if isinstance(v, Decimal) else v for name, v in args.items()}
        return self.ask(op="do", do=deed, **words)["done"]

    def get(self, path: str) -> Any:
        """GET something and read it exactly."""
        line = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=20)
        try:
            line.request("GET", path)
            return json.loads(line.getresponse().read(), parse_float=Decimal)
        finally:
            line.close()

    def depth(self, pair: str, count: int) -> tuple[list[Any], list[Any]]:
        """(bids, asks) by REST, as pairs of price and quantity."""
        answer = self.get(f"/0/public/Depth?pair={pair}&count={count}")
        (sides,) = answer["result"].values()
        bids, asks = (
            [(Decimal(price), Decimal(qty)) for price, qty, _ in sides[side]]
            for side in ("bids", "asks")
        )
        return bids, asks

    def best(self, pair: str = "BTC/USD") -> tuple[Decimal, Decimal]:
        """(bid, ask) by REST."""
        bids, asks = self.depth(pair, 1)
        return bids[0][0], asks[0][0]

    def truth(self, account: str) -> Any:
        """What really happened on an account."""
        return self.get(f"/sandbox/truth?account={account}")


@contextmanager
def world(folder: Path, *rules: str, **options: Any) -> Iterator[World]:
    """A sandbox process for a run of tests."""
    accounts = write_accounts(folder / "accounts.yaml")
    usual = {"seed": 7, "pairs": MARKET, "start": START.isoformat()}
    with child(accounts=accounts, rules=rules, **usual | options) as there:
        address = f"ws://127.0.0.1:{there.announced['port']}/sandbox/control"
        with connect(address, proxy=None, compression=None) as line:
            yield World(there.url, line)
