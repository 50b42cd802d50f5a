"""That it stands here lets the tests below import `vapi_world`."""
