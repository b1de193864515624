"""Reports as one HTML file: sections and plots."""
