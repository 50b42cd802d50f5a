"""Many tapes against one application: its command is run once for each."""
