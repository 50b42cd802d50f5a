"""`record pull`: what a provider knows of its calls, into the store; see docs/pull.md."""
