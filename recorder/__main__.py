"""`python -m recorder` is the `record` command."""

from recorder.cli import main

main()
