"""What the parameters of public code are called, and values that were seen to work for them."""

from __future__ import annotations

Values = tuple[str, ...]
OPTIMIZER = "torch.optim.SGD([nn.Parameter(torch.ones({n}))], lr=0.1)"
# {n} is a width. The whole name is looked up, then its last word, then its first.
WORDS: tuple[tuple[Values, str], ...] = (
    (("'cpu'", "torch.device('cpu')"), "device device_type"),
    (
        ("gymnasium.spaces.Box(-1.0, 1.0, ({n},))",),
        "observation_space obs_space input_space state_space ob_space",
    ),
    (
        ("gymnasium.spaces.Box(-1.0, 1.0, ({n},))", "gymnasium.spaces.Discrete({n})"),
        "action_space act_space ac_space",
    ),
    (("Settings({n})",), "env venv environment vec_env"),
    (("torch.float32",), "dtype"),
    (("3", "(3, 3)"), "kernel kernel_size window window_size ksize"),
    (
        ("1", "2"),
        "stride dilation groups scale_factor upscale world_size patience interval freq frequency every",
    ),
    (("1", "0"), "padding pad rank"),
    (
        ("2", "1", "[{n}, {n}]"),
        "num_layers n_layers layers_num depth num_blocks n_blocks num_res_blocks num_stages n_res nb_layers"
        " num_hidden_layers n_hidden_layers num_steps_per_env stages blocks",
    ),
    (("2", "1"), "heads head num_heads n_heads nhead n_head"),
    (
        ("({n},)", "[{n}, {n}]", "{n}", "(3, 16, 16)"),
        "shape dims sizes widths layers units shapes channels_list features_list insize",
    ),
    (
        ("True", "False"),
        "use is has with do enable should learn normalize norm_obs bias affine training verbose debug inplace"
        " deterministic train clip_obs",
    ),
    (
        ("0.1", "0.9", "1.0", "{n}"),
        "lr rate alpha beta beta1 beta2 gamma momentum decay tau eps epsilon std sigma temp temperature coef"
        " coefficient weight_decay lambda lambda_ lam dropout drop prob p ratio scale noise clip smoothing discount"
        " threshold percentile quantile ema min low high fraction max_norm warmup",
    ),
    (
        ("nn.ReLU", "'relu'", "nn.ReLU()", "torch.relu"),
        "activation act act_fn act_layer act_func nonlinearity norm_layer layer_cls non_linearity activation_fn",
    ),
    (("'batch'", "True", "nn.BatchNorm1d", "nn.Identity()"), "norm"),
    (
        ("Settings({n})", "{{}}"),
        "config cfg conf args opt opts option options hparams hps params hyperparams settings flags configs kwargs"
        " parameters_dict c_args",
    ),
    (
        ("nn.Linear({n}, {n})", "[nn.Linear({n}, {n})]", "nn.Identity()", "nn.ReLU"),
        "model models module modules net nets network networks encoder decoder backbone policy actor critic layer"
        " block generator discriminator teacher student base fn func function estimator denoise_fn learner agent",
    ),
    (("[nn.Parameter(torch.ones({n}))]",), "parameters optim_params model_parameters"),
    ((OPTIMIZER, "torch.optim.SGD"), "optim optimizer"),
    (
        ("'mean'", "''"),
        "name mode type kind method strategy reduction path prefix key task version dir directory folder",
    ),
    (
        ("{n}", "8"),
        "classes vocab vocab_size embeddings embedding codes entries bins atoms token tokens envs action actions"
        " agents num_embeddings codebook_size n_embed",
    ),
    (
        ("torch.rand({n}, {n})", "torch.rand({n})", "0.5"),
        "data tensor weight weights mean var x xs y inputs sample samples matrix values betas points vertices mask",
    ),
    (
        ("{n}", "({n},)"),
        "n num nb number max in out d c k h w dim size feat feature features channel channels hidden width height"
        " length len planes units horizon steps step count ch nc nz ndf ngf nf batch capacity order fan input output",
    ),
)
BY_WORD = {word: values for values, words in WORDS for word in words.split()}
DEFAULT = ("{n}", "({n},)")


def values_for(name: str, width: int) -> list[str]:
    """Return expressions for a parameter of this name, the likeliest first."""
    return [value.format(n=width) for value in _values(name) or DEFAULT]


def is_known(name: str) -> bool:
    """Tell whether the name of a parameter says what it is."""
    return _values(name) is not None


def _values(name: str) -> Values | None:
    plain = name.lower().strip("_")
    words = plain.rstrip("0123456789").split("_")
    return next((BY_WORD[each] for each in (plain, words[-1], words[0]) if each in BY_WORD), None)
