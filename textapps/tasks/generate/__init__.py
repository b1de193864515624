"""Continuing texts, character by character."""
