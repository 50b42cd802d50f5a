"""What the recorder is measured beside."""
