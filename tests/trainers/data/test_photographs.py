"""Single photographs: what is read of a file, whatever is in it."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from search_spaces.errors import SettingError
from trainers.data.contents import Photos, Stamp
from trainers.data.folder import Folder
from trainers.data.folder_loader import FolderBatchLoader
from trainers.data.photographs import Photographs

RAMP = np.linspace(0, 65535, 32 * 32).reshape(32, 32).astype(np.uint16)


def read(path):
    """Return the red, green and blue of the image at `path`, as the transform gets them."""
    image, _ = Photographs(photos(path), np.asarray)[(0, 0)]
    return image


def photos(*paths):
    """Return images as they are now, whatever is in them."""
    stamps = [Stamp.of(path.stat()) if path.exists() else Stamp(0, 0, 0, 0) for path in paths]
    samples = tuple((str(path), 0) for path in paths)
    return Photos(samples, np.array(stamps, np.int64), np.zeros((len(paths), 0), np.uint8))


@pytest.mark.parametrize(("ending", "order"), [("png", "<"), ("tif", "<"), ("tif", ">"), ("pgm", "<")])
def test_grey_of_16_bits_keeps_its_upper_8(tmp_path, ending, order):
    path = tmp_path / f"ramp.{ending}"
    Image.fromarray(RAMP.astype(f"{order}u2")).save(path)
    assert np.array_equal(read(path), np.stack([RAMP >> 8] * 3, 2))


def test_a_png_that_pil_opens_as_32_bits_has_16(tmp_path, monkeypatch):
    path = tmp_path / "ramp.png"
    Image.fromarray(RAMP).save(path)
    monkeypatch.setitem(PngImagePlugin._MODES, (16, 0), ("I", "I;16B"))
    assert np.array_equal(read(path)[..., 0], RAMP >> 8)


def test_grey_of_12_bits_keeps_its_upper_8(tmp_path):
    path = tmp_path / "grey.tif"
    Image.fromarray(np.full((8, 8), 0x8888, np.uint16)).save(path)
    bits = struct.pack("<HHI", 258, 3, 1)  # the entry BitsPerSample: one short
    path.write_bytes(path.read_bytes().replace(bits + struct.pack("<I", 16), bits + struct.pack("<I", 12)))
    assert np.array_equal(read(path), np.full((8, 8, 3), 0x88))


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_grey_of_unknown_range_is_refused(tmp_path, kind):
    path = tmp_path / "ramp.tif"
    Image.fromarray(RAMP.astype(kind)).save(path)
    with pytest.raises(SettingError, match=r"ramp\.tif holds grey values of unknown range") as raised:
        read(path)
    assert raised.value.key == ("root",)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(side, *extra):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * (3 * 10 + 1) * 10))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixels + chunk(b"IEND", b"")


def with_a_short_chunk():
    before, after = png(10).split(b"IDAT")
    return before[:-4] + struct.pack(">I", 5) + b"IDAT" + after


DAMAGED = {
    "a chunk of a wrong length": with_a_short_chunk(),
    "a bomb": png(30_000),
    "a long text": png(10, chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 3_000_000))),
    "a short header": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0\0\0\x0a"),
    "a bad header of PPM": b"P6\n10 x\n255\n" + b"\0" * 300,
}


def test_the_pattern_of_the_damaged_images_is_sound(tmp_path):
    (tmp_path / "sound.png").write_bytes(png(10))
    assert read(tmp_path / "sound.png").shape == (10, 10, 3)


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_whatever_a_decoder_raises_is_one_message(tmp_path, content):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(SettingError) as raised:
        read(path)
    assert raised.value.message.startswith(f"{path} is not a readable image: ")


@pytest.mark.slow
def test_the_message_comes_whole_from_a_process_of_the_loader(tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(DAMAGED["a bomb"])
    both = photos(path, path)
    folder = Folder(both, both, None, 1, 16, workers=1, prefetch=1, fingerprint="")
    training = {"batch_size": 2, "normalise": "none", "augment": {"resize": "none", "flip": False, "colour": False}}
    with pytest.raises(SettingError) as raised:
        list(FolderBatchLoader(folder, training, torch.device("cpu")).train(0, 1))
    assert raised.value.message.startswith(f"{path} is not a readable image: ")
    assert "\n" not in raised.value.message


def test_a_photograph_that_is_gone_is_named(tmp_path):
    with pytest.raises(SettingError, match=r"gone\.png is missing"):
        read(tmp_path / "gone.png")
