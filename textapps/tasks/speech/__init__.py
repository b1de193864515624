"""Recognising spoken commands, in clips and in a stream."""
