"""That it stands here lets the tests below import `plugin_world`."""
