"""Indicators of one pair's candles by theme: trend, momentum, volatility, volume; see `panel`."""
