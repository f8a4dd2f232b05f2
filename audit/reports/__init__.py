"""Reports for auditors: what a report says, and the same report as CSV, XLSX and PDF."""
