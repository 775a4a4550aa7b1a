"""What the market looks like: the price board and its indicators."""
