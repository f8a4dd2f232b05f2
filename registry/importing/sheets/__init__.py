"""Table files as lines of text: CSV and XLSX."""
