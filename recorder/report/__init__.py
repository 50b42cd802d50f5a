"""What a tape says, for people and for machines."""
