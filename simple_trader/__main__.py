"""`python -m simple_trader`: hands the command line to the cli."""

import signal

if __name__ == "__main__":
    # A kill switch that comes now waits until the daemon can take it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    from simple_trader.cli import main

    main()
