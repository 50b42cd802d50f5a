"""What providers can do, each cell with its evidence: shown by a trial, documented, or not tested
(docs/features.md)."""
