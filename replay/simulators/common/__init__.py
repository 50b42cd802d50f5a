"""What the simulators share: a frame, an agenda, a voice, words and arguments."""

SEED_HEADER = "x-simulator-seed"
"""The header in which a simulator tells its seed, so that a tape of it can be made again."""
