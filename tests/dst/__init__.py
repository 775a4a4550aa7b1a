"""Deterministic simulation of the whole daemon: virtual time, one seed, real Postgres."""
