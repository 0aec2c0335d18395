"""Which files of a folder are images of which class, on disks as people have them.

Hidden files and what systems and tools leave behind are passed over, each real folder counts once however many links
lead to it, and names are compared in one Unicode form: a Mac writes é as two characters where Linux writes one.
"""

import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trainers.data.files import file_error
from trainers.errors import DataError

Sample = tuple[str, int]

# What torchvision's ImageFolder takes for an image.
ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

# Left behind by macOS, Windows, and the makers of network disks; names that begin with a dot are hidden anyway.
_SYSTEM = frozenset(
    {
        "__macosx", "lost+found", "@eadir", "#recycle", "@recycle", "#snapshot", "@__thumb", "__pycache__", "icon\r",
        "$recycle.bin", "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini",
    }
)  # fmt: skip

Identity = tuple[int, int]  # of a real folder: its device and its inode


@dataclass
class Passed:
    """What is passed over, by the reason, as paths below the root."""

    hidden: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """Return one sentence for each reason that something was passed over for."""
        reasons = (
            ("class folders without a file", self.empty),
            ("links to folders that are counted already, or lie above", self.links),
            ("no images, by name or place", self.others),
            ("hidden, or made by a system", self.hidden),
        )
        return [f"left out ({reason}): {_listed(names)}" for reason, names in reasons if names]


@dataclass(frozen=True)
class Part:
    """The images of one part of a data set with their labels, in the order of torchvision's ImageFolder."""

    folder: Path
    classes: tuple[str, ...]
    samples: tuple[Sample, ...]


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or left behind by a system."""
    return name.startswith(".") or name.lower() in _SYSTEM


def class_names(folder: Path) -> list[str]:
    """Return the names of the folders in `folder` that may be classes; none where it is no folder."""
    if not folder.is_dir():
        return []
    return [entry.name for entry in _entries(folder) if not is_hidden(entry.name) and _is_folder(entry)]


def read_part(root: Path, folder: Path, passed: Passed) -> Part:
    """Return the images below `folder`; DataError where it holds no classes. What is left out goes into `passed`."""
    classes = _class_folders(root, folder, passed)
    above = [folder.resolve(), *folder.resolve().parents]
    walk = _Walk(root, passed, _owners(classes), seen={_identity(each) for each in above})
    for name, path in classes.items():
        walk.visit(name, path)
    walk.follow_links()
    kept = [name for name in classes if walk.images(name)]
    for name in classes:
        others = walk.others.get(name, [])
        if name not in kept and others:
            raise file_error(
                f"{classes[name]} holds no image, but {Path(others[0]).name}: image_folder reads {' '.join(ENDINGS)}; "
                "convert the files, or take the folder away"
            )
        passed.others += [_below(root, Path(path)) for path in others]
        if name not in kept:
            passed.empty.append(_below(root, classes[name]))
    if not kept:
        raise _no_classes(folder)
    return Part(folder, tuple(kept), tuple((path, at) for at, name in enumerate(kept) for path in walk.images(name)))


def _class_folders(root: Path, folder: Path, passed: Passed) -> dict[str, Path]:
    """Return the folders of the classes by their names in one Unicode form, in the order of those names."""
    folders: dict[str, Path] = {}
    if not folder.is_dir():
        raise _no_classes(folder)
    for entry in _entries(folder):
        path, name = Path(entry.path), _one_form(entry.name)
        if is_hidden(entry.name):
            passed.hidden.append(_below(root, path))
        elif not _is_folder(entry):
            passed.others.append(_below(root, path))
        elif name in folders:
            raise file_error(f"{folder} holds {name} twice, in two Unicode forms: make one folder of the two")
        else:
            folders[name] = path
    return folders


def _owners(classes: Mapping[str, Path]) -> dict[Identity, str]:
    """Return the class of each class folder; DataError where two are links to one folder."""
    owners: dict[Identity, str] = {}
    for name, path in classes.items():
        other = owners.setdefault(_identity(path), name)
        if other != name:
            raise file_error(f"{path} and {classes[other]} are one folder under two names: leave one out")
    return owners


@dataclass
class _Walk:
    """Collects the files of every class: first what really lies there, then what links lead to, each folder once."""

    root: Path
    passed: Passed
    owners: Mapping[Identity, str]
    seen: set[Identity] = field(default_factory=set)
    links: list[tuple[str, Path]] = field(default_factory=list)
    places: dict[str, list[tuple[str, list[str]]]] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)

    def visit(self, name: str, start: Path) -> None:
        """Enter the files of the class `name` in `start` and the real folders below; links are kept for later."""
        waiting = [start]
        while waiting:
            place = waiting.pop()
            identity = _identity(place)
            if identity in self.seen or self.owners.get(identity, name) != name:
                self.passed.links.append(_below(self.root, place))
                continue
            self.seen.add(identity)
            waiting += self._enter(name, place)

    def follow_links(self) -> None:
        """Enter what the links lead to, where it is not counted already."""
        while self.links:
            self.visit(*self.links.pop(0))

    def images(self, name: str) -> list[str]:
        """Return the images of a class, folder by folder."""
        ordered = sorted(self.places.get(name, []), key=lambda each: _one_form(each[0]))
        return [os.path.join(place, file) for place, files in ordered for file in files]

    def _enter(self, name: str, place: Path) -> list[Path]:
        """Enter the files that lie in one folder; return the real folders in it."""
        files, folders = [], []
        for entry in _entries(place):
            if is_hidden(entry.name):
                self.passed.hidden.append(_below(self.root, Path(entry.path)))
            elif _is_folder(entry) and entry.is_symlink():
                path = Path(entry.path)
                if place.resolve().is_relative_to(path.resolve()):  # a folder above holds more than this class
                    self.passed.links.append(_below(self.root, path))
                else:
                    self.links.append((name, path))
            elif _is_folder(entry):
                folders.append(Path(entry.path))
            elif entry.name.lower().endswith(ENDINGS):
                files.append(entry.name)
            else:
                self.others.setdefault(name, []).append(entry.path)
        self.places.setdefault(name, []).append((str(place), files))
        return folders


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield what lies in a folder in the order of its names; a folder that may not be read raises its OSError."""
    with os.scandir(folder) as entries:
        yield from sorted(entries, key=lambda entry: _one_form(entry.name))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _identity(folder: Path) -> Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _one_form(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _below(root: Path, path: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _listed(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(sorted(names)[:most]) + more


def _no_classes(folder: Path) -> DataError:
    return file_error(f"{folder} holds no folders of classes: image_folder needs {folder}/<class>/<image>")
