"""One file per `record` command."""
