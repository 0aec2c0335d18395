"""Check the URL of a folder in a storage, before anything is asked of the storage."""

from orchestrator.passwords import holds_password
from search_spaces.errors import Key, SettingError, unknown


def check_folder_url(url: str, key: Key) -> None:
    """Raise a SettingError for a URL that names no folder of a storage that fsspec knows, or that holds a password."""
    from fsspec import available_protocols  # takes a while, and few study files name a storage

    protocol, colon, folder = url.partition("://")
    if not colon:
        raise SettingError(
            f'"{url}" is no URL: write file:///shared/checkpoints for a folder of a shared disk, s3://bucket/folder '
            "for one in a bucket",
            key,
        )
    if protocol not in available_protocols():
        raise unknown("protocol", protocol, available_protocols(), key)
    if not folder.strip("/"):
        raise SettingError(f'"{url}" names no folder', key)
    if protocol == "file" and not folder.startswith("/"):
        raise SettingError(
            f'"{url}" has no third slash: write file:///{folder} for a folder at the top of the disk', key
        )
    if holds_password(url):
        raise SettingError(
            "the URL holds a password, which would be stored with the study: leave it out, and give it to each node "
            "in the way that its storage asks for, mostly in the environment",
            key,
        )
