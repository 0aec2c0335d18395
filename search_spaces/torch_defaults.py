"""The defaults of torch that belong to the whole process, and that code of the user's own may leave changed."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class TorchDefaults:
    """The type of new tensors, such as "float32", and whether operations record gradients."""

    dtype: str = "float32"
    gradients: bool = True

    def restore(self) -> str:
        """Set the defaults to these again; return in words what had changed and what to do instead, "" for nothing."""
        now, changes = read_defaults(), []
        if now == self:
            return ""
        import torch  # it takes seconds, and here it is loaded already

        if now.dtype != self.dtype:
            torch.set_default_dtype(getattr(torch, self.dtype))
            changes.append(f"new tensors are {now.dtype}; convert what needs it with `.to(torch.{now.dtype})`")
        if now.gradients != self.gradients:
            torch.set_grad_enabled(self.gradients)
            state = "on" if now.gradients else "off"
            changes.append(f"gradients are {state}; put `with torch.no_grad():` around what needs none")
        return ", and ".join(changes)


def read_defaults() -> TorchDefaults:
    """Return the defaults as they are now; torch's own where it is not loaded yet."""
    if "torch" not in sys.modules:
        return TorchDefaults()
    import torch

    return TorchDefaults(str(torch.get_default_dtype()).removeprefix("torch."), torch.is_grad_enabled())
