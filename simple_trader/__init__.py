"""Simple Trader: a crypto trading daemon with one synchronous brain and one asyncio body."""

__version__ = "0.1.0"
