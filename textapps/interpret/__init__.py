"""What a trained model looks at and remembers: gradients, states, gates, attention."""
