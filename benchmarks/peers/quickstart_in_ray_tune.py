"""The quickstart's 45 trials by hand, in the style of Ray Tune's PyTorch tutorial: what a careful user would write.

A function trainable, a DataLoader, `tune.report` after every epoch, a grid search, and Tune's defaults. The networks,
the data split, the recipe and the number of epochs are those of ablation.yaml; nothing here is made slow on purpose.

    python benchmarks/peers/quickstart_in_ray_tune.py result.json [EPOCHS]
"""

import json
import sys
import tempfile

import numpy as np
import torch
from ray import tune
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Block(nn.Module):
    """A basic unit: plain, original, or fully pre-activated; option A where the shape changes."""

    def __init__(self, variant: str, channels_in: int, channels: int, stride: int, first: bool) -> None:
        super().__init__()
        self.variant, self.stride, self.extra = variant, stride, channels - channels_in
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        if variant == "preact":
            self.bn1 = nn.Identity() if first else nn.BatchNorm2d(channels_in)
            self.relu1 = nn.Identity() if first else nn.ReLU(inplace=True)
        else:
            self.bn1 = nn.BatchNorm2d(channels)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the unit to images of shape (N, C, H, W)."""
        shortcut = x[:, :, :: self.stride, :: self.stride]
        if self.extra:
            shortcut = nn.functional.pad(shortcut, (0, 0, 0, 0, 0, self.extra))
        if self.variant == "preact":
            return shortcut + self.conv2(self.relu(self.bn2(self.conv1(self.relu1(self.bn1(x))))))
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out if self.variant == "plain" else out + shortcut)


def network(depth: int, variant: str, width: int = 8) -> nn.Sequential:
    """Return the 6n+2 network for 8x8 grey images and ten classes."""
    layers: list[nn.Module] = [nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    channels = width
    for stage in range(3):
        for unit in range((depth - 2) // 6):
            stride = 2 if stage and not unit else 1
            layers.append(Block(variant, channels, width * 2**stage, stride, first=not stage and not unit))
            channels = width * 2**stage
    if variant == "preact":
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]
    built = nn.Sequential(*layers)
    for module in built.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
    return built


def digits() -> tuple[TensorDataset, TensorDataset]:
    """Return scikit-learn's digits as training and test sets, normalised by the training set's mean and deviation."""
    images, labels = load_digits(return_X_y=True)
    images = images.astype(np.float32).reshape(-1, 1, 8, 8)
    split = train_test_split(images, labels, test_size=360, stratify=labels, random_state=0)
    mean, deviation = split[0].mean(), split[0].std()
    train, test = (torch.from_numpy((part - mean) / deviation) for part in split[:2])
    return TensorDataset(train, torch.from_numpy(split[2])), TensorDataset(test, torch.from_numpy(split[3]))


def train(config: dict) -> None:
    """Train one trial, reporting after every epoch."""
    torch.manual_seed(config["seed"])
    train_set, test_set = digits()
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=64)
    model = network(config["depth"], config["variant"])
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, epochs=config["epochs"], steps_per_epoch=len(train_loader), pct_start=0.2
    )
    for _ in range(config["epochs"]):
        model.train()
        total = 0.0
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = loss_of(model(images), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(labels)
        model.eval()
        wrong = 0
        with torch.no_grad():
            for images, labels in test_loader:
                wrong += (model(images).argmax(1) != labels).sum().item()
        tune.report({"train_loss": total / len(train_set), "test_error": 100 * wrong / len(test_set)})


def main() -> None:
    """Run the grid and write each arm's mean test error."""
    space = {
        "depth": tune.grid_search([20, 56, 110]),
        "variant": tune.grid_search(["plain", "original", "preact"]),
        "seed": tune.grid_search([0, 1, 2, 3, 4]),
        "epochs": int(sys.argv[2]) if len(sys.argv) > 2 else 10,
    }
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(train, param_space=space, run_config=tune.RunConfig(storage_path=folder))
        frame = tuner.fit().get_dataframe()
    means = frame.groupby(["config/depth", "config/variant"])["test_error"].mean()
    arms = {f"depth={depth} variant={variant}": error for (depth, variant), error in means.items()}
    with open(sys.argv[1], "w") as file:
        json.dump(arms, file)


if __name__ == "__main__":
    main()
