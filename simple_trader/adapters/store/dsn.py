"""Database addresses: what people may write, and what the driver takes."""

from urllib.parse import quote, unquote, urlsplit, urlunsplit

from simple_trader.domain.errors import StoreSetupError

_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+asyncpg"})
_HOW = "write POSTGRES_DSN as postgresql://user:password@host:5432/database."


def normalise_dsn(dsn: str) -> str:
    """`dsn` as `postgresql://...`, from `postgresql://` or `postgresql+asyncpg://`.

    A unix socket is given as `?host=/folder`. Raises StoreSetupError, which never repeats the
    password, for anything that is no such address.
    """
    try:
        parts = urlsplit(dsn.strip())
        port = parts.port
    except ValueError:
        raise StoreSetupError("the database address is not understood: " + _HOW) from None
    if parts.scheme not in _SCHEMES:
        raise StoreSetupError("the database address is not understood: " + _HOW)
    if not parts.path.strip("/"):
        raise StoreSetupError("the database address names no database: " + _HOW)
    if port is not None and not parts.hostname:
        raise StoreSetupError("the database address names a port but no host: " + _HOW)
    return urlunsplit(("postgresql", parts.netloc, parts.path, parts.query, ""))


def with_database(dsn: str, database: str) -> str:
    """The same server, another database."""
    parts = urlsplit(normalise_dsn(dsn))
    path = "/" + quote(database, safe="")
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def describe_dsn(dsn: str) -> str:
    """`dsn` for people and logs: without its password."""
    parts = urlsplit(normalise_dsn(dsn))
    user = unquote(parts.username or "")
    query = dict(part.partition("=")[::2] for part in parts.query.split("&") if part)
    host = parts.hostname or unquote(query.get("host", "local socket"))
    place = host if parts.port is None else host + ":" + str(parts.port)
    return (user + "@" if user else "") + place + parts.path
