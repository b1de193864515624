"""Models for TensorFlow Lite Micro: int8 only, as C."""
