"""That it stands here lets the tests import `situations`."""
