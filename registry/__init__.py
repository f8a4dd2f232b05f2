"""Who exists: areas, stations, terminals; import and export."""
