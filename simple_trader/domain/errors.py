"""Errors a person may read: one clear sentence each, with an exit code.

TraderError
+-- ConfigError          the configuration, .env, a template or a tool schema is unusable
+-- StoreError           the database cannot be used
|   +-- StoreSetupError  ... because the (embedded) server cannot be set up or reached
|   +-- SchemaError      ... because its schema does not fit this version
|   +-- WorldMismatch    ... because it holds another world
|   +-- LockHeld         ... because another daemon trades on it
+-- VenueError           the exchange cannot be used
|   +-- VenueRefused     ... it answered with a definitive error
|   +-- VenueUnreachable ... no answer; the outcome of a read is unknown and may be retried
+-- MarketDataError      a replay file or a market message is unusable
+-- ModeError            the mode asked for cannot run (live without a provider ...)
+-- ReplayImpossible     what is asked for cannot be run again from the journal
+-- InvariantBroken      the house found its own books wrong; trading stops

The docstring of each class is its default message. Exit codes are documented in
docs/reference/exit-codes.md.
"""


class TraderError(Exception):
    """Simple Trader cannot go on."""

    exit_code = 1

    def __init__(self, message: str | None = None) -> None:
        """Keep `message`, or the class docstring where none is given."""
        super().__init__(message or (type(self).__doc__ or "").strip())


class ConfigError(TraderError):
    """The configuration cannot be used."""

    exit_code = 2


class StoreError(TraderError):
    """The database cannot be used."""

    exit_code = 3


class StoreSetupError(StoreError):
    """The database server cannot be set up or reached."""


class SchemaError(StoreError):
    """The database schema does not fit this version of Simple Trader."""


class WorldMismatch(StoreError):
    """The database holds another world; name another --state-dir or start with --fresh."""

    exit_code = 4


class LockHeld(StoreError):
    """Another daemon already trades on this database."""

    exit_code = 5


class VenueError(TraderError):
    """The exchange cannot be used."""

    exit_code = 6


class VenueRefused(VenueError):
    """The exchange refused the request."""


class VenueUnreachable(VenueError):
    """The exchange did not answer."""


class MarketDataError(TraderError):
    """The market data cannot be used."""

    exit_code = 7


class ModeError(TraderError):
    """This mode cannot run."""

    exit_code = 8


class ReplayImpossible(TraderError):
    """The journal does not hold what shall be replayed."""

    exit_code = 11


class InvariantBroken(TraderError):
    """The books do not agree with themselves; trading stops."""

    exit_code = 9
