"""TensorFlow Serving's gRPC interface, and gRPC's health service."""
