from tests.trainers.data.written import write_cifar10
from trainers.testing import DataSetContract


class TestCifar10(DataSetContract):
    def mapping(self, folder):
        if not any(folder.iterdir()):
            write_cifar10(folder)
        return {"name": "cifar10", "root": str(folder)}
