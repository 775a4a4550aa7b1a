"""`python -m simple_trader`: hands the command line to the cli."""

from simple_trader.cli import main

if __name__ == "__main__":
    main()
