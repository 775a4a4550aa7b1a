"""Statements and values on a database by its DSN, a connection each."""

import asyncpg


async def execute(dsn: str, *statements: str) -> None:
    """Execute statements, one after another."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def value_of(dsn: str, query: str) -> object:
    """The first value that a query gives."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
