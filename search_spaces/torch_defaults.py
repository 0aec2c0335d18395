"""The defaults of torch that belong to the whole process, and that code of the user's own may leave changed."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class TorchDefaults:
    """The type of new tensors, and whether operations record gradients."""

    dtype: torch.dtype
    gradients: bool

    def restore(self) -> str:
        """Set the defaults to these again; return in words what had changed and what to do instead, "" for nothing."""
        now, changes = read_defaults(), []
        if now.dtype != self.dtype:
            torch.set_default_dtype(self.dtype)
            name = str(now.dtype).removeprefix("torch.")
            changes.append(f"new tensors are {name}; convert what needs it with `.to({now.dtype})`")
        if now.gradients != self.gradients:
            torch.set_grad_enabled(self.gradients)
            state = "on" if now.gradients else "off"
            changes.append(f"gradients are {state}; put `with torch.no_grad():` around what needs none")
        return ", and ".join(changes)


def read_defaults() -> TorchDefaults:
    """Return the defaults as they are now."""
    return TorchDefaults(torch.get_default_dtype(), torch.is_grad_enabled())
