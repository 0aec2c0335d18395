"""Whether a file is on a disk that several computers share, where SQLite's write-ahead log does not work."""

from pathlib import Path

import psutil

_SHARED = (
    "nfs",
    "cifs",
    "smb",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "glusterfs",
    "afs",
    "9p",
    "fuse.sshfs",
    "fuse.gcsfuse",
)


def shared_file_system(path: Path) -> str | None:
    """Return the kind of network file system that holds `path`, for instance "nfs4"; None on a local disk."""
    resolved = path.resolve()
    mounts = [mount for mount in psutil.disk_partitions(all=True) if resolved.is_relative_to(mount.mountpoint)]
    if not mounts:
        return None
    kind = str(max(mounts, key=lambda mount: len(mount.mountpoint)).fstype).lower()
    return kind if kind.startswith(_SHARED) else None
