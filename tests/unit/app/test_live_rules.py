"""Every misconfiguration of live trading is refused in one sentence that names its fix."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import simple_trader
from simple_trader.adapters.kraken.key_info import KeyInfo
from simple_trader.app.arming import (
    FORMAT,
    ArmFile,
    arm_path,
    fingerprint_of,
    remove_arm,
    sealed,
    write_arm,
)
from simple_trader.app.live_rules import (
    NO_EXITS,
    AccountFacts,
    bond_of,
    refuse_account,
    refuse_setup,
    refuse_unarmed,
)
from simple_trader.app.places import read_setup
from simple_trader.app.worlds import KRAKEN_PRIVATE, KRAKEN_PUBLIC, KRAKEN_REST, World, refuse_mode
from simple_trader.config.env import Secret
from simple_trader.config.limits import LimitBook, limits_of
from simple_trader.config.options import RunOptions
from simple_trader.config.reload import settle
from simple_trader.domain.errors import TraderError
from simple_trader.domain.instruments import VenueStatus

LLM = "https://api.openai.com/v1"
STAND_IN = "http://127.0.0.1:8900/advisor/v1"
ROOT = Path(__file__).resolve().parents[3]
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
KEY, SECRET, IDENTITY, ORIGIN = "key-of-a-test", "c2VjcmV0", "kraken 0123456789abcdef", "L1@1.5"
SAFE = (
    "query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades",
    "query-ledger", "access-websockets",
)  # fmt: skip
CEILINGS = {"max_asset_exposure": Decimal("0.9")}


@dataclass
class Case:
    """A live set-up in which nothing is wrong, until a row of the table spoils it."""

    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    env_mode: int = 0o600
    config_mode: int = 0o644
    facts: AccountFacts = field(
        default_factory=lambda: AccountFacts(
            key=KeyInfo(SAFE),
            status=VenueStatus.ONLINE,
            skew_s=0.0,
            origin=ORIGIN,
            pairs=frozenset({"BTC/USD", "ETH/USD", "SOL/USD"}),
        )
    )
    rest_url: str = KRAKEN_REST
    identity: str = IDENTITY
    accepted: dict[str, str] = field(default_factory=dict)
    arm: dict[str, Any] = field(default_factory=dict)
    seal_with: str = SECRET
    touch_arm: Callable[[Path], object] = lambda path: None

    def start(self) -> None:
        """Judge it as a start with place_live_orders does; raises at the first trouble."""
        values = yaml.safe_load((ROOT / "config.yaml").read_text())
        values |= {"mode": "live", "place_live_orders": True, "openai_base_url": LLM}
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(values | self.config, explicit_end=True))
        path.chmod(self.config_mode)
        env = self.folder / ".env"
        keys = {"KRAKEN_API_KEY": KEY, "KRAKEN_SECRET_API_KEY": SECRET} | self.env
        env.write_text("".join(f"{name}={value}\n" for name, value in keys.items()))
        env.chmod(self.env_mode)
        state = self.folder / "state"
        options = {"config_path": path, "env_file": env, "state_dir": state}
        setup = read_setup(RunOptions(**(options | self.options)))
        setup.places.make()
        if self.accepted:
            given = {name: Decimal(text) for name, text in self.accepted.items()}
            LimitBook(state).accept(limits_of(setup.config.settings) | given)
        refuse_mode(setup)
        refuse_setup(setup, CEILINGS)
        world = World(
            rest_url=self.rest_url,
            public_url=KRAKEN_PUBLIC,
            private_url=KRAKEN_PRIVATE,
            key=Secret(KEY),
            secret=Secret(SECRET),
            identity=self.identity,
            detail="an account",
        )
        refuse_account(setup, world, self.facts)
        self._write_arm(state, limits_of(setup.config.settings))
        refuse_unarmed(setup, bond_of(setup, world, self.facts, AT))

    def _write_arm(self, state: Path, limits: dict[str, Decimal]) -> None:
        arm = ArmFile(
            format=FORMAT,
            program=simple_trader.__version__,
            mode="live",
            world=IDENTITY,
            fingerprint=fingerprint_of(Secret(KEY), ORIGIN),
            pairs=("BTC/USD", "ETH/USD", "SOL/USD"),
            limits={name: str(value) for name, value in limits.items()},
            armed_by="a person",
            armed_at=AT - timedelta(days=1),
            expires_at=AT + timedelta(days=6),
        )
        arm = msgspec.structs.replace(arm, **self.arm)
        write_arm(state, sealed(arm, Secret(self.seal_with)))
        self.touch_arm(arm_path(state))


def key(*names: str) -> Callable[[Case], object]:
    return lambda c: setattr(c, "facts", replace(c.facts, key=KeyInfo(names or None)))


def fact(**values: Any) -> Callable[[Case], object]:
    return lambda c: setattr(c, "facts", replace(c.facts, **values))


def put(name: str, **values: Any) -> Callable[[Case], object]:
    return lambda c: getattr(c, name).update(values)


def say(name: str, value: object) -> Callable[[Case], object]:
    return lambda c: setattr(c, name, value)


def rewritten(old: str, new: str) -> Callable[[Case], object]:
    """The arm file edited by hand."""

    def edit(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return say("touch_arm", edit)


TABLE: dict[str, tuple[Callable[[Case], object], str]] = {
    "mode sim": (put("config", mode="sim"), "set mode: live"),
    "mode paper": (put("config", mode="paper"), "set mode: live"),
    "mode only on the command line": (
        lambda c: (c.config.update(mode="sim"), c.options.update(mode="live")),
        "write mode: live into config.yaml",
    ),
    "no key": (put("env", KRAKEN_API_KEY=""), "put KRAKEN_API_KEY into .env"),
    "no secret": (put("env", KRAKEN_SECRET_API_KEY=""), "put KRAKEN_SECRET_API_KEY into .env"),
    ".env for all to read": (say("env_mode", 0o644), "chmod 600"),
    "config.yaml for all to write": (say("config_mode", 0o666), "chmod 644"),
    "placing off": (put("config", place_live_orders=False), "set place_live_orders: true"),
    "private feed off": (put("config", enable_private_feed=False), "set enable_private_feed: true"),
    "public feed off": (put("config", enable_public_feed=False), "set enable_public_feed: true"),
    "no stop": (put("config", stop_loss_percent=0), "set stop_loss_percent above 0"),
    "override for withdrawal": (
        put("config", allow_withdrawal_key=True), "set allow_withdrawal_key: false",
    ),
    "the stand-in as advisor": (
        put("config", openai_base_url=STAND_IN, llm_hosts=["127.0.0.1"]), "set openai_base_url",
    ),
    "an LLM host nobody knows": (put("config", openai_base_url="https://llm.test"), "llm_hosts"),
    "no advisor": (put("config", openai_base_url=""), "put OPENAI_API_KEY into .env"),
    "fresh": (put("options", fresh=True), "--fresh is for sim and paper"),
    "faults": (put("options", chaos="light"), "they need a sandbox"),
    "a recording": (put("options", record=Path("wire")), "they need a sandbox"),
    "a crash point": (put("options", crash_at="before_send"), "it is for sim alone"),
    "replay": (put("options", replay=Path("market.csv")), "are for sim"),
    "seed": (put("options", seed=3), "are for sim"),
    "a limit above its ceiling": (
        put("config", max_asset_exposure=0.95, max_total_exposure=1), "set it to 0.9 or less",
    ),
    "a limit raised and not accepted": (
        put("accepted", daily_loss_limit="0.01"), "simple-trader limits accept",
    ),
    "the sandbox's address": (say("rest_url", "http://127.0.0.1:8900"), "set mode: sim"),
    "another host": (say("rest_url", "https://api.kraken.com.test"), "Kraken alone"),
    "a key that withdraws": (key(*SAFE, "withdraw-funds"), "make a key without withdrawal"),
    "a key that shows nothing": (key(), "make a key without withdrawal"),
    "a key that cannot place": (
        key(*(n for n in SAFE if n != "modify-trades")), "'create and modify orders': grant it",
    ),
    "a key that cannot cancel": (
        key(*(n for n in SAFE if n != "close-trades")), "'cancel and close orders': grant it",
    ),
    "a key without the private feed": (
        key(*(n for n in SAFE if n != "access-websockets")), "'WebSocket token': grant it",
    ),
    "our clock ahead": (fact(skew_s=3.0), "3.0 s ahead of the exchange's: switch time sync"),
    "our clock behind": (fact(skew_s=-2.0), "2.0 s behind the exchange's: switch time sync"),
    "maintenance": (fact(status=VenueStatus.MAINTENANCE), "try again when it is online"),
    "a state nobody knows": (fact(status=VenueStatus.UNKNOWN), "try again when it is online"),
    "an empty account": (fact(origin=""), "deposit first"),
    "a pair that is not there": (put("config", traded_pairs=["DOGE/USD"]), "take it out of traded"),
    "not armed": (say("touch_arm", lambda p: p.unlink()), "simple-trader arm, or set place_live_o"),
    "an arm file for all to read": (say("touch_arm", lambda p: p.chmod(0o644)), "mode 0644 lets"),
    "an arm file that is none": (say("touch_arm", lambda p: p.write_text("{}")), "no arm file of"),
    "a half arm file": (
        say("touch_arm", lambda p: p.write_bytes(p.read_bytes()[:99])), "no arm file of",
    ),
    "an arm file with a term of its own": (rewritten("2026-03-08", "2026-03-09"), "was changed"),
    "an arm file with a limit of its own": (rewritten('"0.05"', '"0.5"'), "was changed"),
    "an arm file of another secret": (say("seal_with", "b3RoZXI="), "made with another key"),
    "an arm file of paper": (put("arm", mode="paper"), "mode paper, not of live trading"),
    "an arm file of another format": (put("arm", format=9), "format 9"),
    "an arm file of another version": (put("arm", program="0.0.1"), "armed for version 0.0.1"),
    "an arm file of another key": (put("arm", world="kraken ffff"), "armed for kraken ffff"),
    "an arm file of another account": (fact(origin="L2@1.5"), "armed for another account"),
    "an arming that ended": (put("arm", expires_at=AT), "the arming ended"),
    "an arming without end": (
        put("arm", expires_at=AT + timedelta(days=999)), "the arming ended",
    ),
    "an arming to come": (
        put("arm", armed_at=AT + timedelta(days=2)), "still to come: set the clock",
    ),
    "a limit that was not confirmed": (
        put("arm", limits={"daily_loss_limit": "0.01"}), "that was confirmed; run: simple-trader",
    ),
    "a pair that was not confirmed": (
        put("arm", pairs=("BTC/USD",)), "ETH/USD was not among the pairs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_i_44_every_misconfiguration_is_refused_in_one_sentence_with_its_fix(
    name: str, tmp_path: Path
) -> None:
    spoil, fix = TABLE[name]
    case = Case(tmp_path)
    spoil(case)
    with pytest.raises(TraderError) as refused:
        case.start()
    said = str(refused.value)
    assert fix in said
    assert said != NO_EXITS
    assert "\n" not in said
    assert said.endswith(".")
    assert not re.search(re.escape(SECRET), said)
    assert refused.value.exit_code


def test_i_44_with_everything_right_only_the_last_refusal_is_left(tmp_path: Path) -> None:
    case = Case(tmp_path)
    with pytest.raises(TraderError, match="there are no protective exits in this version"):
        case.start()
    assert len(TABLE) >= 20


def test_i_44_disarming_is_a_refusal_from_then_on(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert not remove_arm(state)
    case = Case(tmp_path)
    case.touch_arm = lambda path: remove_arm(state)
    with pytest.raises(TraderError, match="not armed: run: simple-trader arm"):
        case.start()


def test_i_44_a_running_live_daemon_never_begins_to_place_by_a_save_of_the_file(
    tmp_path: Path,
) -> None:
    """C10: neither mode nor place_live_orders are switched on while it runs; off works at once."""
    path = tmp_path / "config.yaml"

    def version(**values: object) -> Any:
        path.write_text(
            yaml.safe_dump(
                {"mode": "live", "openai_base_url": LLM, **values},
                explicit_end=True,
            )
        )
        return read_setup(RunOptions(config_path=path, state_dir=tmp_path / "state")).config

    quiet, loud = version(place_live_orders=False), version(place_live_orders=True)
    accepted = limits_of(quiet.settings)
    change = settle(quiet, loud, accepted)
    assert not change.config.settings.place_live_orders
    assert any("simple-trader arm" in note for note in change.notes)
    assert not settle(loud, quiet, accepted).config.settings.place_live_orders
    paper = version(mode="paper", place_live_orders=True)
    switched = settle(paper, loud, accepted)
    assert switched.config.settings.mode == "paper"
    assert any(note.startswith("mode: the change from paper to live") for note in switched.notes)
