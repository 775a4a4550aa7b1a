"""Hot reload: a new configuration version reaches brain, advisor and feeds as one."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from simple_trader.app.advice import AdvisorDesk, plan_of
from simple_trader.app.feed_plan import feed_plan
from simple_trader.app.places import Setup
from simple_trader.app.prompting import desk_answer, voice_of
from simple_trader.app.worlds import World
from simple_trader.config.limits import LimitBook
from simple_trader.config.loader import Config, trading_settings
from simple_trader.config.reload import ConfigChange
from simple_trader.config.watch import ConfigWatcher
from simple_trader.core.engine import Engine
from simple_trader.domain.errors import TraderError
from simple_trader.domain.events import (
    BookSeen,
    CandleSeen,
    Event,
    QuoteSeen,
    SettingsChanged,
    SettingsRejected,
)
from simple_trader.ports import FeedPlan
from simple_trader.runtime.inbox import Inbox

log = logging.getLogger("simple_trader.config")


class TakesPlans(Protocol):
    """What of the feeds is needed here."""

    def apply(self, plan: FeedPlan) -> None:
        """Change the feeds."""
        ...


class Reloading:
    """Owns the version in force; the brain's SettingsChanged is the moment it takes effect."""

    def __init__(
        self,
        setup: Setup,
        world: World,
        desk: AdvisorDesk,
        feeds: TakesPlans,
        inbox: Inbox,
        engine: Engine,
    ) -> None:
        """Start with the version of `setup`."""
        self._secrets = setup.environment.secrets
        self._stand_in_url = world.stand_in_url
        self._desk, self._feeds, self._inbox, self._engine = desk, feeds, inbox, engine
        self._config = setup.config
        self._pairs: tuple[str, ...] = ()
        self.watcher = ConfigWatcher(
            setup.config,
            limits=LimitBook(setup.places.state),
            on_change=self._changed,
            on_refused=self._refused,
        )

    @property
    def config(self) -> Config:
        """The newest version that was taken."""
        return self._config

    def prompts(self, now: Callable[[], datetime]) -> Callable[[str], bytes]:
        """What the prompt desk answers, of the version that the brain has then."""
        return desk_answer(self._engine, now, lambda name: voice_of(self._desk.plan(name)))

    def begin(self) -> None:
        """Start the feeds of the first version."""
        self._pairs = self._config.settings.traded_pairs
        self._feeds.apply(self._plan())

    def after(self, event: Event) -> None:
        """The brain processed `event`: keep the feeds at what it now wants to see."""
        if isinstance(event, QuoteSeen | BookSeen | CandleSeen):
            return
        wanted = self._engine.pairs_wanted
        if isinstance(event, SettingsChanged) or wanted != self._pairs:
            self._pairs = wanted
            self._feeds.apply(self._plan())

    def _plan(self) -> FeedPlan:
        return feed_plan(self._config.settings, self._pairs)

    def _changed(self, change: ConfigChange) -> None:
        config = change.config
        for note in change.notes:
            log.warning("%s", note)
        if config.hash == self._config.hash:
            return
        try:
            self._desk.learn(config.hash, plan_of(config, self._secrets, self._stand_in_url))
        except TraderError as error:
            self._refused(str(error))
            return
        self._config = config
        self._inbox.put(
            SettingsChanged(
                settings=trading_settings(config),
                config_hash=config.hash,
                before=change.before,
                after=change.after,
                source=config.source,
                texts=config.texts,
            )
        )

    def _refused(self, sentence: str) -> None:
        self._inbox.put(SettingsRejected(detail=sentence))
