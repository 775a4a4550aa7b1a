"""The pure exchange: orders in, reports out, with no clock, no dice and no I/O of its own."""
