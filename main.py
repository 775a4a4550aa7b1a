"""`python main.py [FLAGS]`: the systemd entry, the same daemon as `simple-trader run [FLAGS]`."""

import signal
import sys

if __name__ == "__main__":
    # A kill switch that comes now waits until the daemon can take it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        from simple_trader.cli import main

        sys.argv.insert(1, "run")
        main()
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C before there was anything to stop
