"""The registry: areas, stations, terminals, opening hours and closures; their import and export."""
