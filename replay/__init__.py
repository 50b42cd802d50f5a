"""Play recorded conversations back to whoever holds the other side."""
