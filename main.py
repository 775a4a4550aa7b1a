"""`python main.py [FLAGS]`: the systemd entry, the same daemon as `simple-trader run [FLAGS]`."""

import sys

from simple_trader.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "run")
    main()
