"""The asyncio body: turns the world into events, obeys the brain's actions, keeps time."""
