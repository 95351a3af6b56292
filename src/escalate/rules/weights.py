"""How much patients without a DLT count in TITE-CRM whose window was not observed whole."""

from __future__ import annotations

import numpy as np

from ..words.records import FloatArray


def adaptive(share: FloatArray, dlt_share: FloatArray) -> FloatArray:
    """Return weights that move with the times of the DLTs, shape (B, P).

    With z DLTs at shares t(1) <= ... <= t(z) of the window, a patient observed for a share u beyond m of them has the
    weight (m + (u - t(m)) / (t(m + 1) - t(m))) / (z + 1), with t(0) = 0 and t(z + 1) = 1; linear without a DLT.

    Parameters
    ----------
    share : float array, shape (B, P)
        Share of the window observed.
    dlt_share : float array, shape (B, Q)
        Shares of the window after which DLTs came; NaN fills up.

    References
    ----------
    Cheung YK, Chappell R. Biometrics 2000;56:1177-1182, section 2.2; the function `titecrm` of dfcrm.
    """
    weights = share.copy()
    for row, times in enumerate(dlt_share):
        came = np.sort(times[~np.isnan(times)])
        if came.size:
            edges = np.concatenate([[0.0], came, [1.0]])
            passed = np.searchsorted(came, share[row], side="right")
            width = edges[passed + 1] - edges[passed]
            part = np.divide(share[row] - edges[passed], width, out=np.zeros_like(width), where=width > 0)
            weights[row] = (passed + part) / (came.size + 1)
    return np.minimum(weights, 1.0)
