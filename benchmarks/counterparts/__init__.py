"""What textapps is compared with: recipes of others, the same models in PyTorch, a plain server."""
