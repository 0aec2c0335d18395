from tests.trainers.data.written import write_fashion_mnist
from trainers.testing import DataSetContract


class TestFashionMnist(DataSetContract):
    def mapping(self, folder):
        if not any(folder.iterdir()):
            write_fashion_mnist(folder, train=60)
        return {"name": "fashion_mnist", "root": str(folder)}
