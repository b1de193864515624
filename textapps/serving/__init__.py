"""Serves SavedModels over HTTP and gRPC; stands on core and savedmodel alone, without Keras."""
