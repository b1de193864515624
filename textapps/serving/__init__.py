"""Serves exported SavedModels over HTTP; stands on core and savedmodel alone, without Keras."""
