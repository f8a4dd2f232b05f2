"""The parent incident of each dark area: that of the outermost dark area around it, or of an outage. Pure."""

from alerting.blindspots.area_counts import Path


class AreaParents:
    """Dark areas with an incident: the parent of each, and the heads, which have no parent."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._above: dict[str, str] = {}
        self._children: dict[str, set[str]] = {}
        self._heads: dict[str, set[str]] = {}

    def parent_of(self, area: str) -> str | None:
        """The key of the parent incident of an area; None for a head."""
        return self._above.get(area)

    def children_of(self, key: str) -> list[str]:
        """The areas whose parent is the incident `key`."""
        return sorted(self._children.get(key, ()))

    def heads_below(self, area: str) -> list[str]:
        """The dark areas within this one that have no parent."""
        return sorted(self._heads.get(area, ()))

    def parents(self) -> list[str]:
        """The keys of all incidents that are a parent."""
        return sorted(self._children)

    def place_area(self, area: str, path: Path, above: str | None) -> None:
        """Make the incident `above` the parent of an area, or the area a head; `path` is that of the area."""
        self.remove_area(area)
        self._paths[area] = path
        if above is None:
            for higher in path[:-1]:
                self._heads.setdefault(higher, set()).add(area)
        else:
            self._above[area] = above
            self._children.setdefault(above, set()).add(area)

    def remove_area(self, area: str) -> None:
        """Forget an area that is dark no longer."""
        above = self._above.pop(area, None)
        if above is not None:
            _discard(self._children, above, area)
        for higher in self._paths.pop(area, ())[:-1]:
            _discard(self._heads, higher, area)


def _discard(sets: dict[str, set[str]], name: str, member: str) -> None:
    members = sets.get(name)
    if members is not None:
        members.discard(member)
        if not members:
            del sets[name]
