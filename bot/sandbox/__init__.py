"""A Bot API server of our own, for tests and for the demo."""
