"""Proxy A-distance: how far the features of two domains are apart."""

from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from da_faster.errors import UserError

FOLDS = 5
Z = 1.645  # standard deviations on each side of a 90 % interval


class Distance(NamedTuple):
    """A proxy A-distance with its interval.

    Attributes:
        value: The distance, 0 to 2.
        half: Half the width of the 90 % interval over images.
        error: Error of the classifier, 0 to 1, mean of both domains.
        images: Number of images of the source and of the target.
    """

    value: float
    half: float
    error: float
    images: tuple[int, int]

    def __str__(self) -> str:
        return f'{self.value:.2f} ± {self.half:.2f}'


def proxy_a_distance(
    source: np.ndarray,
    target: np.ndarray,
    source_images: np.ndarray,
    target_images: np.ndarray,
    seed: int = 0,
) -> Distance:
    """Measures the proxy A-distance of two sets of features.

    The distance is ``2 * (1 - 2 * err)``, where err is the error of a
    classifier that tells the sets apart (Ben-David et al., Analysis of
    Representations for Domain Adaptation, NeurIPS 2007). The classifier is a
    logistic regression on standardised features. err is measured by
    cross-validation that keeps all features of an image in one fold. Errors
    are averaged over an image's features, then over the images of a domain,
    then over both domains. A distance below 0, which occurs by chance, is
    set to 0.

    The interval treats each image as one throw of a coin. One right and one
    wrong image are added, so that the interval has a width where no error was
    made. It does not cover that other images might train a better classifier.

    Args:
        source (ndarray): Features of the source, (n, D).
        target (ndarray): Features of the target, (m, D).
        source_images (ndarray): Image of each source feature, int, (n,).
        target_images (ndarray): Image of each target feature, int, (m,). The
            same number means different images in the two domains.
        seed (int): Seed of the folds.

    Raises:
        UserError: If a domain has fewer than two images.
    """
    images = len(np.unique(source_images)), len(np.unique(target_images))
    if min(images) < 2:
        raise UserError(
            'a held-out classifier needs features of at least 2 images of '
            f'each domain, got {images[0]} of the source and {images[1]} of '
            'the target: give more images.'
        )
    features = np.concatenate([source, target])
    domains = np.repeat([1, 0], [len(source), len(target)])
    groups = np.concatenate(
        [source_images, target_images + source_images.max() + 1]
    )
    predicted = cross_val_predict(
        make_pipeline(
            StandardScaler(),
            LogisticRegression(class_weight='balanced', max_iter=1000),
        ),
        features,
        domains,
        groups=groups,
        cv=StratifiedGroupKFold(
            min(FOLDS, *images), shuffle=True, random_state=seed
        ),
    )
    errors, variance = [], 0.0
    for domain, count in zip((1, 0), images):
        here = domains == domain
        wrong = predicted[here] != domain
        _, image = np.unique(groups[here], return_inverse=True)
        error = np.mean(np.bincount(image, wrong) / np.bincount(image))
        smooth = (count * error + 1) / (count + 2)
        variance += smooth * (1 - smooth) / count
        errors.append(error)
    # d = 2 - 4 err, and err is half the sum of two.
    error = float(np.mean(errors))
    return Distance(
        max(0.0, 2 * (1 - 2 * error)),
        float(2 * Z * np.sqrt(variance)),
        error,
        images,
    )
