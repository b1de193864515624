"""Text and audio to tensors and back, all of it as operations of the exported graph."""
