"""Writes, verifies and publishes SavedModels and files for LiteRT."""
