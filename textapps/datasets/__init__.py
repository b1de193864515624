"""Labelled texts, corpora, sentence pairs and clips: reading, splitting and inspecting them."""
