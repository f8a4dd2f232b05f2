"""HTTP itself: sessions, limits, problem documents, paging, connections."""
