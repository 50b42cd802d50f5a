"""The client's side of a conversation: scripts, and a speaker that follows them."""
