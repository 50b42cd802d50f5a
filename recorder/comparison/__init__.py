"""What a trial says of its providers: paired, with the scenario as the unit (docs/compare.md)."""
