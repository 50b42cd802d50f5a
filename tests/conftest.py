"""Shared by all tests. That it stands here lets them import `tapes`."""
