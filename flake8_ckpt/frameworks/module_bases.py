"""Classes of other packages that are `nn.Module`s: one table, and how to tell from a name."""

from __future__ import annotations

from collections.abc import Sequence

from flake8_ckpt.frameworks.torch import is_module_class

MODULE_BASES = frozenset(
    "torch.nn.Module torch.nn.modules.Module torch.nn.modules.module.Module torch.jit.ScriptModule"
    " lightning.LightningModule lightning.pytorch.LightningModule pytorch_lightning.LightningModule"
    " lightning.pytorch.core.LightningModule pytorch_lightning.core.LightningModule"
    " transformers.PreTrainedModel transformers.modeling_utils.PreTrainedModel diffusers.ModelMixin"
    " diffusers.models.ModelMixin diffusers.models.modeling_utils.ModelMixin torchmetrics.Metric"
    " torchmetrics.metric.Metric stable_baselines3.common.policies.BasePolicy"
    " stable_baselines3.common.policies.ActorCriticPolicy stable_baselines3.common.policies.BaseModel"
    " stable_baselines3.common.policies.MultiInputActorCriticPolicy"
    " stable_baselines3.common.torch_layers.BaseFeaturesExtractor"
    " stable_baselines3.common.torch_layers.MlpExtractor stable_baselines3.common.torch_layers.NatureCNN"
    " stable_baselines3.common.torch_layers.CombinedExtractor gpytorch.Module gpytorch.module.Module"
    " gpytorch.kernels.Kernel gpytorch.models.ExactGP gpytorch.means.Mean gpytorch.likelihoods.Likelihood"
    " gpytorch.models.ApproximateGP gpytorch.models.GP torch_geometric.nn.MessagePassing"
    " torch_geometric.nn.conv.MessagePassing tensordict.nn.TensorDictModule"
    " tensordict.nn.TensorDictModuleBase torchrl.objectives.LossModule"
    " torchrl.objectives.common.LossModule torchrl.envs.Transform torchrl.envs.transforms.Transform"
    " fairseq.models.BaseFairseqModel fairseq.models.FairseqEncoder fairseq.models.FairseqDecoder"
    " fairseq.models.FairseqModel fairseq.models.FairseqIncrementalDecoder"
    " fairseq.criterions.FairseqCriterion fairseq.models.FairseqEncoderDecoderModel"
    " fairseq.models.FairseqLanguageModel allennlp.models.Model allennlp.models.model.Model"
    " mmcv.runner.BaseModule mmengine.model.BaseModule mmengine.model.BaseModel"
    " detectron2.modeling.Backbone speechbrain.nnet.containers.Sequential timm.models.layers.PatchEmbed"
    " kornia.core.Module kornia.core.ImageModule monai.networks.nets.UNet escnn.nn.EquivariantModule"
    " e3nn.nn.Gate pyro.nn.PyroModule pyro.nn.module.PyroModule composer.ComposerModel"
    " composer.models.ComposerModel sentence_transformers.SentenceTransformer torchvision.models.ResNet"
    " skrl.models.torch.Model skrl.models.torch.base.Model tianshou.policy.BasePolicy"
    " tianshou.utils.net.common.Net".split()
)
NAMESPACES = (
    "torchvision.models.",
    "timm.models.",
    "torch_geometric.nn.",
    "gpytorch.kernels.",
    "gpytorch.means.",
)


def is_external_module(path: str, extra: Sequence[str] = ()) -> bool:
    """Tell whether a class outside the project is a module, by its absolute name."""
    if path in MODULE_BASES or path in extra or is_module_class(path):
        return True
    tail = path.rpartition(".")[2]
    return tail in extra or (path.startswith(NAMESPACES) and tail[:1].isupper())
