"""Objects as last heard of or as last written by ourselves, whichever is newer."""

from __future__ import annotations

from collections.abc import Mapping

from harness.cluster.objects import Object, Watched


class Picture:
    """A watched kind without the lag of one's own writes: a reconcile must not repeat what the one before has done."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._written: dict[str, Object] = {}
        self._deleted: set[str] = set()
        """UIDs."""

    def wrote(self, obj: Object) -> None:
        """We wrote this; the API server answered with the object."""
        self._written[obj["metadata"]["name"]] = obj

    def deleted(self, obj: Object) -> None:
        """We deleted this."""
        self._deleted.add(obj["metadata"]["uid"])
        self._written.pop(obj["metadata"]["name"], None)

    def current(self) -> Mapping[str, Object]:
        """The objects by name."""
        heard = self._watched.current()
        for name, mine in list(self._written.items()):
            if name in heard and _version(heard[name]) >= _version(mine):
                del self._written[name]
        merged = {**heard, **self._written}
        return {name: obj for name, obj in merged.items() if obj["metadata"]["uid"] not in self._deleted}


def _version(obj: Object) -> int:
    """Versions of one kind grow with every write (etcd's revision), whatever the API promises of them."""
    return int(obj["metadata"]["resourceVersion"])
