"""What stands between `mode: live` and an order: each misconfiguration is one sentence and its fix.

`refuse_setup` judges files and flags before anything is started, `refuse_account` what the exchange
says of key, clock and account. The first trouble is the one that is told.
"""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

import simple_trader
from simple_trader.adapters.kraken.key_info import KeyInfo
from simple_trader.app.arming import Bond, fingerprint_of, read_arm
from simple_trader.app.places import Setup
from simple_trader.app.worlds import KRAKEN_PRIVATE, KRAKEN_PUBLIC, KRAKEN_REST, World
from simple_trader.config.limits import LimitBook, hold_raised, limits_of
from simple_trader.config.loader import uses_stand_in
from simple_trader.domain.errors import ModeError
from simple_trader.domain.instruments import VenueStatus

NO_EXITS = (
    "mode live places no orders: there are no protective exits in this version; set "
    "place_live_orders: false to run and record without them."
)
SKEW_MAX_S = 1.0
LIVE_ADDRESSES = (KRAKEN_REST, KRAKEN_PUBLIC, KRAKEN_PRIVATE)
_STAND_IN_PATH = "/advisor/v1"


@dataclass(frozen=True, kw_only=True)
class AccountFacts:
    """What the exchange itself said: `origin` is the oldest ledger entry, '' for none.

    `skew_s` is how far our clock is ahead of the exchange's for certain (negative: behind).
    """

    key: KeyInfo
    status: VenueStatus
    skew_s: float
    origin: str
    pairs: frozenset[str]


def refuse_setup(setup: Setup, ceilings: Mapping[str, Decimal]) -> None:
    """Raise ModeError for the first thing in files and flags that forbids placing."""
    for sentence in setup_troubles(setup, ceilings):
        raise ModeError(sentence)


def refuse_account(
    setup: Setup, world: World, facts: AccountFacts, addresses: tuple[str, ...] = LIVE_ADDRESSES
) -> None:
    """Raise ModeError for the first thing about exchange, key and account that forbids placing.

    `addresses` is a test's seam: the exchange that stands in for Kraken.
    """
    for sentence in account_troubles(setup, world, facts, addresses):
        raise ModeError(sentence)


def refuse_unarmed(setup: Setup, bond: Bond) -> None:
    """Raise ModeError unless a person armed this account, and for what is asked now.

    And then: the last refusal of this version.
    """
    read_arm(setup.places.state, setup.environment.secrets.kraken_secret_api_key, bond)
    raise ModeError(NO_EXITS)


def bond_of(setup: Setup, world: World, facts: AccountFacts, at: datetime) -> Bond:
    """What an arm file of this setup and account must say at `at`."""
    settings = setup.config.settings
    return Bond(
        program=simple_trader.__version__,
        world=world.identity,
        fingerprint=fingerprint_of(world.key, facts.origin),
        pairs=settings.traded_pairs,
        limits={name: str(value) for name, value in limits_of(settings).items()},
        at=at,
    )


# -- files and flags ------------------------------------------------------------------------------


def setup_troubles(setup: Setup, ceilings: Mapping[str, Decimal]) -> Iterator[str]:
    """Each thing in files and flags that forbids placing live orders."""
    config, settings, secrets = setup.config, setup.config.settings, setup.environment.secrets
    if settings.mode != "live":
        yield f"mode {settings.mode} is never armed: set mode: live in config.yaml."
        return
    if config.base.mode != "live":
        yield "--mode live is not enough to place orders: write mode: live into config.yaml."
    if not secrets.kraken_api_key:
        yield "mode live needs a Kraken key: put KRAKEN_API_KEY into .env."
    if not secrets.kraken_secret_api_key:
        yield "mode live needs the key's private part: put KRAKEN_SECRET_API_KEY into .env."
    if setup.environment.loose_file:
        yield setup.environment.loose_file
    if not settings.place_live_orders:
        yield "place_live_orders is false: set place_live_orders: true in config.yaml."
    yield from _open_doors(setup)
    yield from _switched_off(setup)
    yield from _limit_troubles(setup, ceilings)


def _open_doors(setup: Setup) -> Iterator[str]:
    """Files and folders that others may change."""
    config, state = setup.config.path, setup.places.state
    if config.exists() and stat.S_IMODE(config.stat().st_mode) & 0o022:
        yield f"{config} can be written by others, who could raise your limits: chmod 644 {config}."
    for folder in (state, setup.places.control):
        if folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o022:
            yield f"{folder} can be written by others, who could arm it: chmod go-w {folder}."


def _switched_off(setup: Setup) -> Iterator[str]:
    """What must not be off, and what must not be on, where money is at stake."""
    settings = setup.config.settings
    if not settings.enable_private_feed:
        yield "fills would not be seen without the private feed: set enable_private_feed: true."
    if not settings.enable_public_feed:
        yield "prices would not be seen without the public feed: set enable_public_feed: true."
    if settings.stop_loss_percent == 0:
        yield "a position would have no stop: set stop_loss_percent above 0."
    if settings.allow_withdrawal_key:
        yield "no key that may withdraw is armed: set allow_withdrawal_key: false."
    urls = [settings.openai_base_url, *(one.base_url for one in settings.providers)]
    if uses_stand_in(settings, setup.environment.secrets) or any(map(_is_stand_in, urls)):
        yield "the sandbox's stand-in is no advisor for real money: set openai_base_url."


def _is_stand_in(url: str) -> bool:
    return urlsplit(url).path.rstrip("/").endswith(_STAND_IN_PATH)


def _limit_troubles(setup: Setup, ceilings: Mapping[str, Decimal]) -> Iterator[str]:
    settings = setup.config.settings
    accepted = LimitBook(setup.places.state).accepted()
    if accepted is not None:
        for note in hold_raised(settings, accepted)[1]:
            yield f"{note}, or lower it in config.yaml."
    for name, value in limits_of(settings).items():
        ceiling = ceilings.get(name)
        if ceiling is not None and value > ceiling:
            yield f"{name} is {value}, above what this program allows: set it to {ceiling} or less."


# -- exchange and account -------------------------------------------------------------------------


def account_troubles(
    setup: Setup, world: World, facts: AccountFacts, addresses: tuple[str, ...] = LIVE_ADDRESSES
) -> Iterator[str]:
    """Each thing about exchange, key and account that forbids placing live orders."""
    for url in (world.rest_url, world.public_url, world.private_url):
        if url not in addresses:
            host = urlsplit(url).hostname
            yield f"mode live is for Kraken alone, not for {host}: set mode: sim for the sandbox."
    yield from _key_troubles(facts.key)
    if abs(facts.skew_s) > SKEW_MAX_S:
        way = "ahead of" if facts.skew_s > 0 else "behind"
        yield (
            f"this clock is {abs(facts.skew_s):.1f} s {way} the exchange's: switch time "
            "synchronisation on (timedatectl set-ntp true)."
        )
    if facts.status is not VenueStatus.ONLINE:
        yield f"the exchange is in state {facts.status.value}: try again when it is online."
    if not facts.origin:
        yield "the account's ledger is empty, so it cannot be told from others: deposit first."
    for pair in setup.config.settings.traded_pairs:
        if pair not in facts.pairs:
            yield f"the exchange has no pair {pair}: take it out of traded_pairs."


def _key_troubles(key: KeyInfo) -> Iterator[str]:
    new = "make a key without withdrawal at Kraken and put it into .env"
    if key.permissions is None:
        yield f"it cannot be shown that the key may not withdraw: {new}."
        return
    if key.permissions and key.may_withdraw:
        yield f"the key may withdraw funds: {new}."
    for name in key.missing:
        yield f"the key lacks the permission {name!r}: grant it at Kraken."
