"""Loading, describing and calling any SavedModel; needs TensorFlow, never Keras."""
