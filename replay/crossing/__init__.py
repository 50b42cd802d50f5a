"""A recorded conversation, held anew with another provider (docs/run.md, "Another provider")."""
