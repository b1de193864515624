"""Labelled texts, one row an example."""
