"""Translating sentences, with attention and beam search."""
