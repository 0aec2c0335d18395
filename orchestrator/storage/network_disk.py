"""Whether a file is on a disk that several computers share, where SQLite can neither keep its log nor lock a file."""

from pathlib import Path

import psutil

HOST_DISK = "9p"
"""How a virtual machine sees a disk of its host, as under WSL: it is shared, but with one computer."""
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
    "panfs",
    "wekafs",
    "ocfs2",
    "gfs2",
    "orangefs",
    HOST_DISK,
    "fuse.sshfs",
    "fuse.gcsfuse",
    "fuse.s3fs",
    "fuse.rclone",
    "fuse.juicefs",
    "fuse.glusterfs",
)


def shared_file_system(path: Path) -> str | None:
    """Return the kind of network file system that holds `path`, for instance "nfs4"; None on a local disk."""
    resolved = path.resolve()
    mounts = [mount for mount in psutil.disk_partitions(all=True) if resolved.is_relative_to(mount.mountpoint)]
    if not mounts:
        return None
    kind = str(max(mounts, key=lambda mount: len(mount.mountpoint)).fstype).lower()
    return kind if kind.startswith(_SHARED) else None
