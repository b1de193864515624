"""What every room may use: errors, configuration, files, tokens; nothing here needs TensorFlow."""
