"""Loading and describing any SavedModel; needs TensorFlow only."""
