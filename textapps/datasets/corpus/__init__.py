"""Text to learn to continue."""
