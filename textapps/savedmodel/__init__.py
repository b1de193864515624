"""Loading, describing and asking any SavedModel; needs TensorFlow, never Keras."""
