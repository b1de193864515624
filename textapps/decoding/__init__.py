"""Sampling and beam search as graph loops over a model's state; commands heard in a stream."""
