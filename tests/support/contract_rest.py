"""The contract's small change: the error of one REST request, by either reading."""

from contract_facts import Refused
from contract_wire import RawRest
from contract_world import World, secret_of
from kraken_parts import Even, Mark, RealClock, Shown

from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.errors import KrakenRefused
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest


async def asked(
    via: str, there: World, what: str, *, key: str, secret: str | None = None
) -> Refused | None:
    """Ask for `balance`, `token`, `ledger` or `candles` (of a pair that is not there)."""
    secret = secret_of(key) if secret is None else secret
    if via == "raw":
        return await _raw(there, what, key, secret)
    return await _client(there, what, key, secret)


async def _raw(there: World, what: str, key: str, secret: str) -> Refused | None:
    rest = RawRest(there, key, secret)
    try:
        if what == "candles":
            answer = there.get("/0/public/OHLC?pair=FOOUSD&interval=1")
        else:
            name = {"balance": "Balance", "token": "GetWebSocketsToken", "ledger": "Ledgers"}
            answer = await rest.ask(name[what])
    finally:
        await rest.close()
    return Refused(answer["error"][0]) if answer["error"] else None


async def _client(there: World, what: str, key: str, secret: str) -> Refused | None:
    http = HttpClient("simple-trader/contract")
    credentials = Credentials(Shown(key), Shown(secret))
    client = RestClient(
        url=there.url,
        http=http,
        clock=RealClock(),
        dice=Even(),
        credentials=credentials,
        high_water=Mark(),
    )
    rest = KrakenRest(client)
    try:
        match what:
            case "balance":
                await rest.balances()
            case "token":
                await rest.token()
            case "ledger":
                await rest.ledgers(None)
            case _:
                await rest.candles("FOO/USD", 60, 1)
    except KrakenRefused as error:
        return Refused(error.error)
    finally:
        await http.close()
    return None
