"""The data sets: each file is one, found by its name.

Its function `load` takes the data set's settings as keyword arguments, annotated and with defaults, and returns splits
(`trainers.data.images.Splits`) or, where images stay on disk until they are needed, a `trainers.data.folder.Folder`.
``IMAGES``, the shape of an image and the number of classes, is for data sets that may still have to be downloaded.
"""
