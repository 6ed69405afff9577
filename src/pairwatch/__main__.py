"""`python -m pairwatch`."""

from pairwatch.cli import main

main()
