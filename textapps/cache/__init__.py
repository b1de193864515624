"""Data that were prepared once: entries of memory-mapped arrays that processes share."""
