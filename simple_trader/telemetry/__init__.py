"""Telemetry: what the daemon tells people and machines: logs, live view, systemd."""
