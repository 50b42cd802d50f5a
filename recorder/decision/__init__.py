"""A trial as a document on which a team can decide (docs/decision.md)."""
