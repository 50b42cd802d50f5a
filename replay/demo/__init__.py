"""The demo: what this program does, from a recorded conversation to a decision, on this machine."""
