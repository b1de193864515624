"""Learning a language model of texts without labels, from which classifiers start."""
