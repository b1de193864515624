"""Serves exported SavedModels over HTTP; imports nothing of the rest of textapps, and no Keras."""
