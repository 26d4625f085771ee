"""`python -m smsgw`."""

from smsgw.cli.main import main

main()
