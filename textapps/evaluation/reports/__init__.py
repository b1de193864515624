"""Reports as one HTML file: sections, plots, pictures."""
