"""Capture: from what crosses a channel to what the store keeps."""
