"""Matching: whether what a live client sends is what the client of the tape sent."""
