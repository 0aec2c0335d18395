"""Whether a file is an image that can be read: its header, whether it is whole, and on request every pixel."""

from typing import IO

from PIL import Image, ImageFile, UnidentifiedImageError

from trainers.data.files import file_error, reading

_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"


def check_image(path: str, file: IO[bytes], size: int, *, decode: bool) -> None:
    """Raise DataError unless the open `file` of `size` bytes is a whole image; with `decode` every pixel is read.

    Without it a JPEG, PNG or WebP is taken to be whole by its end, and anything else is decoded all the same.
    """
    if size == 0:
        raise file_error(f"{path} is not a readable image: it is empty (0 bytes); replace it or remove it")
    with reading(path, "a readable image"):
        file.seek(0)
        image = open_image(file)
        check_greys(image, path)
        if decode or not _is_whole(image.format, file, size):
            file.seek(0)
            Image.open(file).load()


def open_image(file: IO[bytes]) -> ImageFile.ImageFile:
    """Return the image in an open file, not yet decoded; ValueError that says what the file is where it is none."""
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        raise ValueError(_what_it_is(file)) from None


def check_greys(image: ImageFile.ImageFile, path: str) -> None:
    """Raise DataError for grey values whose range nobody knows: whole numbers of 32 bits, and floats."""
    if image.mode in ("I", "F") and not has_16_bits(image):
        raise file_error(f"{path} holds grey values of unknown range (mode {image.mode} of PIL): save 8 or 16 bits")


def has_16_bits(image: ImageFile.ImageFile) -> bool:
    """Whether an image holds greys of 16 bits (of TIFF, maybe 12): more PNG and PPM do not have, whatever PIL says."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))


def _is_whole(kind: str | None, file: IO[bytes], size: int) -> bool:
    if kind == "WEBP":
        file.seek(4)
        return int.from_bytes(file.read(4), "little") + 8 <= size
    ending = {"JPEG": _JPEG_END, "PNG": _PNG_END}.get(str(kind))
    if ending is None or size < len(ending):
        return False
    file.seek(size - len(ending))
    return file.read() == ending


def _what_it_is(file: IO[bytes]) -> str:
    """Say what a file holds that is no image, as far as its first bytes tell."""
    file.seek(0)
    start = file.read(64)
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS, not yet fetched (git lfs pull)"
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "it is a web page, as a failed download leaves one"
    return f"no image starts with the bytes {bytes(start[:8])!r}"
