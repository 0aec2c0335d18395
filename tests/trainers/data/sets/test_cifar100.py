from tests.trainers.data.written import write_cifar100
from trainers.testing import DataSetContract


class TestCifar100(DataSetContract):
    def mapping(self, folder):
        if not any(folder.iterdir()):
            write_cifar100(folder, 400)
        return {"name": "cifar100", "root": str(folder)}
