"""How classes are made whose arguments cannot be guessed: expressions, in which `get` imports what is named."""

from __future__ import annotations

MODEL = "get('botorch.models.SingleTaskGP')(torch.rand(6, 2).double(), torch.rand(6, 2).double())"
CELLS = (
    "get('botorch.utils.multi_objective.box_decompositions.NondominatedPartitioning')"
    "(ref_point=torch.zeros(2).double(), Y=torch.rand(5, 2).double() + 0.1)"
)
ONE = "get('botorch.models.SingleTaskGP')(torch.rand(6, 2).double(), torch.rand(6, 1).double())"
PARETO = "torch.rand(2, 3, 2).double(), torch.rand(2, 3, 2).double()"
RECIPES = {
    "gpytorch.priors.wishart_prior.WishartPrior": "cls(5.0, torch.eye(3))",
    "gpytorch.priors.wishart_prior.InverseWishartPrior": "cls(5.0, torch.eye(3))",
    "gpytorch.likelihoods.gaussian_likelihood.DirichletClassificationLikelihood": "cls(torch.randint(0, 3, (8,)))",
    "botorch.acquisition.multi_objective.analytic.ExpectedHypervolumeImprovement": (
        f"cls(model={MODEL}, ref_point=[0.0, 0.0], partitioning={CELLS})"
    ),
    "botorch.acquisition.active_learning.qNegIntegratedPosteriorVariance": f"cls({ONE}, torch.rand(4, 2).double())",
    "botorch.acquisition.knowledge_gradient.qKnowledgeGradient": f"cls({ONE}, num_fantasies=2)",
    "botorch.acquisition.max_value_entropy_search.qMaxValueEntropy": f"cls({ONE}, torch.rand(8, 2).double())",
    "botorch.acquisition.joint_entropy_search.qJointEntropySearch": (
        f"cls({ONE}, torch.rand(3, 2).double(), torch.rand(3, 1).double())"
    ),
    "botorch.acquisition.multi_objective.parego.qLogNParEGO": f"cls({MODEL}, X_baseline=torch.rand(4, 2).double())",
    "botorch.acquisition.multi_objective.joint_entropy_search.qLowerBoundMultiObjectiveJointEntropySearch": (
        f"cls({MODEL}, {PARETO}, torch.rand(2, 2, 4, 2).double())"
    ),
    "botorch.acquisition.multi_objective.predictive_entropy_search.qMultiObjectivePredictiveEntropySearch": (
        f"cls({MODEL}, torch.rand(2, 3, 2).double())"
    ),
    "botorch.models.kernels.contextual_lcea.LCEAKernel": (
        "cls({'a': [0, 2], 'b': [1, 3]}, torch.Size([]), cat_feature_dict={'a': [0], 'b': [1]},"
        " embs_feature_dict={'a': [0.5], 'b': [0.7]}, embs_dim_list=[1])"
    ),
    "botorch.models.deterministic.FixedSingleSampleModel": f"cls({ONE})",
    "botorch.models.contextual_multioutput.LCEMGP": (
        "cls(torch.cat([torch.rand(6, 2), torch.tensor([[0.0], [1.0]] * 3)], 1).double(),"
        " torch.rand(6, 1).double(), task_feature=-1)"
    ),
    "pyro.contrib.tracking.dynamic_models.NcpContinuous": "cls(4, 0.5)",
    "torch_geometric.nn.models.metapath2vec.MetaPath2Vec": (
        "cls({('a', 'to', 'b'): torch.tensor([[0, 1], [1, 0]]), ('b', 'to', 'a'): torch.tensor([[0, 1], [1, 0]])},"
        " 4, [('a', 'to', 'b'), ('b', 'to', 'a')], 2, 2)"
    ),
}
