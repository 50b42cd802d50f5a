"""What the simulators share: an agenda, a voice, words and arguments."""
