"""Files that Kraken offers for download, read row by row."""
