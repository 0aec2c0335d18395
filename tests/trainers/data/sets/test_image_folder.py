from tests.trainers.data.written import write_photographs
from trainers.testing import DataSetContract


class TestImageFolder(DataSetContract):
    def mapping(self, folder):
        if not any(folder.iterdir()):
            write_photographs(folder, {"train": 6, "val": 3})
        return {"name": "image_folder", "root": str(folder), "size": 16, "workers": 0}
