"""What recording costs, as ratios to other programs measured in the same run."""
