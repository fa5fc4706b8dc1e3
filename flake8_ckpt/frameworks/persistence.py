"""The functions of libraries that write a payload to disk or read one back."""

from __future__ import annotations

import re

LOADERS = frozenset(
    "torch.load torch.jit.load pickle.load pickle.loads joblib.load numpy.load safetensors.torch.load_file"
    " safetensors.torch.load cloudpickle.load cloudpickle.loads dill.load dill.loads torch.hub.load_state_dict_from_url"
    " torch.utils.model_zoo.load_url safetensors.safe_open".split()
)
SAVERS = LOADERS | frozenset(
    "torch.save torch.jit.save pickle.dump pickle.dumps joblib.dump numpy.savez numpy.savez_compressed numpy.save"
    " safetensors.torch.save_file safetensors.torch.save cloudpickle.dump cloudpickle.dumps dill.dump"
    " dill.dumps torch.distributed.checkpoint.save torch.distributed.checkpoint.save_state_dict".split()
)
# Where a saving function takes the payload and the file: positions of arguments.
WRITERS = {
    "torch.save": (0, 1), "torch.jit.save": (0, 1), "pickle.dump": (0, 1), "cloudpickle.dump": (0, 1),
    "dill.dump": (0, 1), "joblib.dump": (0, 1), "safetensors.torch.save_file": (0, 1), "numpy.save": (1, 0),
    "torch_xla.core.xla_model.save": (0, 1), "mlflow.pytorch.log_model": (0, 1),
    "torch.distributed.checkpoint.save": (0, 1), "torch.distributed.checkpoint.save_state_dict": (0, 1),
}  # fmt: skip
ARCHIVES = frozenset(["numpy.savez", "numpy.savez_compressed"])
# Objects of libraries whose `save` takes a payload: Fabric gives the file first.
SAVING_OBJECTS = {"fabric": (1, 0), "accelerator": (0, 1), "xm": (0, 1)}
LOADER_NAMES = re.compile(
    r"(^|\.)(torch_load|load_fsspec|load_(checkpoint|ckpt)(_file)?|load_state_dict_from_\w+)$"
)
PICKLES = frozenset("pickle.dump pickle.dumps cloudpickle.dump dill.dump joblib.dump torch.save".split())
