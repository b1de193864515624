"""Clips: short recordings of single spoken words."""
