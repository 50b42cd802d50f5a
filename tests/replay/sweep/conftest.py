"""That it stands here lets the tests below import `sweep_apps`."""
