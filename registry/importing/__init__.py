"""Import of the registry from CSV and XLSX sheets."""
