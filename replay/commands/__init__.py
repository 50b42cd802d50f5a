"""One file per `replay` command."""
