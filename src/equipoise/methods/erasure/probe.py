"""Linear classifiers of hidden states: what can be read from them, and along which direction."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Classifier = Literal["logistic", "svm"]


class LinearProbe:
    """A linear classifier of two classes, trained on states.

    States are centred and scaled by one number before, so that the strength of its regularisation
    means the same at every site, and orthogonality stays what it is.

    Attributes:
        direction: [D] what the decision depends on; the normal of its hyperplane.
    """

    def __init__(self, states: Floats, labels: Ints, kind: Classifier, strength: float) -> None:
        """Train it.

        Args:
            states: [N, D].
            labels: [N] 0 or 1, both of them present.
            kind: Logistic regression, or a linear support vector machine.
            strength: Inverse of the regularisation (scikit-learn's ``C``).
        """
        from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]

        self._mean = states.mean(axis=0)
        centred = states - self._mean
        self._scale = float(np.sqrt(np.square(centred).sum(axis=1).mean())) or 1.0
        self._model = _make(kind, strength)
        with warnings.catch_warnings():
            # A direction that is still a little off the optimum is as good a direction.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(centred / self._scale, labels)
        self.direction: Floats = self._model.coef_[0]

    def accuracy(self, states: Floats, labels: Ints) -> float:
        """Share (0-1) of ``states`` [N, D] whose label it tells."""
        found = self._model.predict((states - self._mean) / self._scale)
        return float(np.mean(found == labels))


def chance(labels: Ints) -> float:
    """Accuracy (0-1) of always saying the more frequent of two labels."""
    share = float(np.mean(labels))
    return max(share, 1 - share)


def _make(kind: Classifier, strength: float) -> Any:
    if kind == "svm":
        from sklearn.svm import LinearSVC  # type: ignore[import-untyped]

        return LinearSVC(C=strength, dual=False, random_state=0)
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    return LogisticRegression(C=strength, max_iter=1000)
