"""The line to our own sandbox: its child process and its control socket."""
