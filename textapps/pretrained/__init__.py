"""The models that come with the package: which there are, what they are, whether they are whole."""
