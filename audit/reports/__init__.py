"""Reports for auditors: the contents of a report, and the report as CSV, XLSX and PDF."""
