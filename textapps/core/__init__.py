"""What every room may use: configuration, errors, files, records, tokens; no TensorFlow needed."""
