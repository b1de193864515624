"""Classifying texts by their sentiment."""
