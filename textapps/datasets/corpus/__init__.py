"""One long text to learn to continue."""
